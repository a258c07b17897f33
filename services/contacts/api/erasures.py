"""The routes of erasure and restriction: asking for them, and who is done."""

from datetime import datetime
from typing import Annotated, Literal, Protocol, Self

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.domain.erasure import Asker, Erasure, Ground, Traces
from services.contacts.handlers.erasing import Erasures, NoSuchErasure, Restriction, Wish
from shared.contracts.erasures import Kept
from shared.contracts.fact import Code, CustomerId, Uuid7
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

Eraser = Annotated[Principal, Depends(require("privacy:erase"))]
Reader = Annotated[Principal, Depends(require("privacy:read"))]
Tracer = Annotated[Principal, Depends(require("privacy:traces"))]
Reference = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$", description="The number of the case. No name, no address."),
]
Status = Annotated[Literal["open", "done"] | None, Query(description="Absent: all of them.")]


class NewErasure(BaseModel):
    """Why the customer is erased, and who has asked. In words of the law, because they stay when all else is gone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"reason": "consent-withdrawn", "asked_by": "customer", "reference": "DSR-2026-17"}]
        },
    )

    reason: Annotated[Ground, Field(description="GDPR, article 17 (1), a to f.")]
    asked_by: Asker
    reference: Reference | None = None


class PlaceBody(BaseModel):
    """One place: open, or since when nothing is left there but what the law wants kept."""

    model_config = ConfigDict(from_attributes=True)

    place: str
    since: datetime
    at: datetime | None
    removed: Annotated[dict[str, int], Field(description="Documents by collection.")]
    kept: list[Kept]


class ErasureBody(BaseModel):
    """An erasure and its receipts."""

    model_config = ConfigDict(from_attributes=True)

    erasure_id: str
    customers: list[str]
    reason: Ground
    asked_by: Asker
    reference: str | None
    taken_by: Annotated[str, Field(description="The key that it came by.")]
    requested_at: datetime
    deadline: datetime
    done_at: datetime | None
    open: list[str]
    places: list[PlaceBody]
    leads: Annotated[
        list[str],
        Field(
            description="Contacts who are left, and of whom a form on the web has said an address or number of the erased, as anybody"
            " can: to be looked at, and if they are the same customer, or a stranger's word of them, erased too."
        ),
    ] = []

    @classmethod
    def of(cls, erasure: Erasure) -> Self:
        more = {"reason": erasure.ground, "done_at": erasure.done_at, "open": erasure.open_places}
        return cls.model_validate(vars(erasure) | more)


class TracesBody(BaseModel):
    """How the customer may be named in events that were refused; for services only."""

    model_config = ConfigDict(from_attributes=True)

    identifiers: list[str]
    texts: list[str]


class NewRestriction(BaseModel):
    """Why what is kept must not be used for now (GDPR, article 18)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "accuracy-contested"}]})

    reason: Code


class RestrictionBody(BaseModel):
    """Whether what is known of a customer may be used."""

    restricted: bool
    since: datetime | None = None
    reason: str | None = None

    @classmethod
    def of(cls, restriction: Restriction | None) -> Self:
        if restriction is None:
            return cls(restricted=False)
        return cls(restricted=True, since=restriction.since, reason=restriction.reason)


class Ledger(Protocol):
    """What is read beside the use cases."""

    async def page(self, after: str | None, limit: int, *, done: bool | None) -> list[Erasure]: ...

    async def traces(self, erasure_id: str) -> Traces | None: ...


def router(erasures: Erasures, ledger: Ledger, messaging: Messaging) -> APIRouter:
    """The routes, over the use cases and the ledger."""
    routes = APIRouter(prefix="/v1", tags=["privacy"])
    _asking(routes, erasures, messaging)
    _reading(routes, erasures, ledger)
    _restricting(routes, erasures, messaging)
    return routes


def _asking(routes: APIRouter, erasures: Erasures, messaging: Messaging) -> None:
    @routes.post(
        "/contacts/{customer_id}/erasure",
        status_code=202,
        response_model=ErasureBody,
        dependencies=[TAKES_KEY],
        summary="Erase a contact everywhere",
    )
    async def erase_contact(principal: Eraser, customer_id: CustomerId, new: NewErasure, request: Request) -> Response:
        """The contact and all that were merged into it are gone at once here, soon in every service, and when they have
        said so at every channel. It cannot be undone. Asked again it is the same erasure.
        """
        wish = Wish(new.reason, new.asked_by, new.reference, _who(principal))

        async def change(unit: Unit) -> Answer:
            erasure = await erasures.request(unit, customer_id, wish)
            where = {"location": f"/v1/erasures/{erasure.erasure_id}"}
            return Answer(202, ErasureBody.of(erasure), where)

        return await idempotent(request, principal, messaging, change)


def _reading(routes: APIRouter, erasures: Erasures, ledger: Ledger) -> None:
    @routes.get("/erasures", summary="List erasures, the latest first")
    async def list_erasures(
        _: Reader, status: Status = None, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[ErasureBody]:
        found = await ledger.page(text_of(cursor, "before"), limit, done=None if status is None else status == "done")
        next_ = encode_cursor({"before": found[-1].erasure_id}) if len(found) == limit else None
        return Page(items=[ErasureBody.of(one) for one in found], next=next_)

    @routes.get("/erasures/{erasure_id}", summary="Read an erasure and its receipts")
    async def read_erasure(_: Reader, erasure_id: Uuid7) -> ErasureBody:
        return ErasureBody.of(await erasures.read(erasure_id))

    @routes.get("/erasures/{erasure_id}/traces", summary="How the customer may be named in refused events")
    async def read_traces(_: Tracer, erasure_id: Uuid7) -> TracesBody:
        """For services that look through what nobody could take. 404 once that is done, and for ever after."""
        traces = await ledger.traces(erasure_id)
        if traces is None:
            raise NoSuchErasure(erasure_id)
        return TracesBody(identifiers=sorted(traces.identifiers), texts=sorted(traces.texts))


def _restricting(routes: APIRouter, erasures: Erasures, messaging: Messaging) -> None:
    path = "/contacts/{customer_id}/restriction"

    @routes.put(path, response_model=RestrictionBody, dependencies=[TAKES_KEY], summary="Keep, and do not use")
    async def restrict_contact(
        principal: Eraser, customer_id: CustomerId, new: NewRestriction, request: Request
    ) -> Response:
        """Channels are told to hide the customer, campaigns and scoring leave them out. All stays kept."""

        async def change(unit: Unit) -> Answer:
            done = await erasures.restrict(unit, customer_id, new.reason, _who(principal))
            return Answer(200, RestrictionBody.of(done))

        return await idempotent(request, principal, messaging, change)

    @routes.delete(path, response_model=RestrictionBody, dependencies=[TAKES_KEY], summary="Use what is kept again")
    async def lift_restriction(principal: Eraser, customer_id: CustomerId, request: Request) -> Response:
        async def change(unit: Unit) -> Answer:
            await erasures.lift(unit, customer_id)
            return Answer(200, RestrictionBody.of(None))

        return await idempotent(request, principal, messaging, change)

    @routes.get(path, summary="Whether what is kept may be used")
    async def read_restriction(_: Reader, customer_id: CustomerId) -> RestrictionBody:
        return RestrictionBody.of(await erasures.restriction(customer_id))


def _who(principal: Principal) -> str:
    return f"/keys/{principal.key_id}"
