"""The routes of the keys that sign customers' links: for operators. No key is ever shown."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from services.contacts.api.entering import author
from services.contacts.domain.signing import MOST_KEYS
from services.contacts.handlers.rotating import Rotating, Standing
from shared.http import Page
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

Keeper = Annotated[Principal, Depends(require("contacts:keys"))]
Number = Annotated[int, Path(ge=0, lt=MOST_KEYS)]


class Made(BaseModel):
    """A key that signs all links from now on."""

    number: int
    since: datetime | None


class KeyBody(Made):
    """A key among the others."""

    by: Annotated[str | None, Field(description="Whose key it was made with; null: made with the database.")]
    signs: bool
    needed_until: Annotated[
        datetime | None,
        Field(description="Retired after that it breaks no link that is not over. Null: as long as it signs."),
    ]
    retired_at: datetime | None
    retired_by: str | None


def _body(one: Standing) -> KeyBody:
    names = ("number", "since", "by", "retired_at", "retired_by")
    told = {name: getattr(one.key, name) for name in names}
    return KeyBody(**told, signs=one.signs, needed_until=one.needed_until)


def router(rotating: Rotating, messaging: Messaging) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts/link-keys", tags=["consents"])

    @routes.get("", summary="List the keys that sign customers' links")
    async def list_keys(_: Keeper) -> Page[KeyBody]:
        """All of them, the newest first, the retired too, on one page."""
        return Page(items=[_body(one) for one in await rotating.list()])

    @routes.post(
        "", status_code=201, response_model=Made, dependencies=[TAKES_KEY], summary="Sign with a new key from now on"
    )
    async def rotate_key(principal: Keeper, request: Request) -> Response:
        """Links that were sent before stay valid until their key is retired. Lists know addresses by another key, which stays."""

        async def change(unit: Unit) -> Answer:
            key = await rotating.rotate(unit, author(principal).source)
            return Answer(201, Made(number=key.number, since=key.since))

        return await idempotent(request, principal, messaging, change)

    @routes.delete("/{number}", status_code=204, summary="Believe a key no longer")
    async def retire_key(principal: Keeper, number: Number) -> Response:
        """Every link that it has signed is invalid from now on, for good. 409: it is the one that signs."""
        await messaging.transact(lambda unit: rotating.retire(unit, number, author(principal).source))
        return Response(status_code=204)

    return routes
