"""The route of the history: who has changed what of a contact, when, why, and what was there before."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.domain.changes import Change
from services.contacts.handlers.looking_back import LookingBack
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import CustomerId
from shared.http import Cursor, Limit, Page, encode_moment, moment_and_place
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
EXAMPLE: dict[str, Any] = {
    "customer_id": "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b",
    "version": 3,
    "kind": "changed",
    "recorded_at": "2026-03-01T17:00:00Z",
    "said_at": "2026-03-01T16:59:00Z",
    "source": "/keys/2f7c1a",
    "by": "Call centre",
    "reason": "She told us on the phone",
    "of": "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b",
    "fields": [{"field": "name", "before": "Ann Example", "after": "Ann Sample", "said_at": "2026-03-01T16:59:00Z"}],
}


class FieldBody(BaseModel):
    """One field. Of lists: the entries that are gone, and those that are new. Null: nothing, or not to be shown."""

    field: Annotated[str, Field(examples=["name", "attributes.shoe-size"])]
    before: Any = None
    after: Any = None
    said_at: Annotated[datetime | None, Field(description="As of when it was said, where that is kept.")] = None


class ChangeBody(BaseModel):
    """One version of the contact. Of merges: that two became one, or two again."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    customer_id: Annotated[str, Field(description="Under whose id it was published.")]
    version: int
    kind: Literal["registered", "changed", "merged", "unmerged", "absorbed", "freed"]
    recorded_at: Annotated[datetime, Field(description="Since when it is known.")]
    said_at: Annotated[datetime | None, Field(description="As of when the latest of it was said.")]
    source: Annotated[str, Field(description="The channel or the key; empty: what follows from other data.")]
    by: Annotated[str | None, Field(description="The key's name.")]
    reason: str | None
    event_id: Annotated[str | None, Field(description="The channel's event.")]
    of: Annotated[str, Field(description="Of whom it was said; of a merge: the other one.")]
    merge_id: str | None
    into: Annotated[str | None, Field(description="Of `absorbed`: who answers for this id from then on.")]
    erased: Annotated[bool, Field(description="Its values were erased.")]
    fields: list[FieldBody]

    @classmethod
    def of_change(cls, change: Change) -> Self:
        author = change.author
        told = {name: getattr(change, name) for name in cls.model_fields if hasattr(change, name) and name != "fields"}
        fields = [FieldBody(**one._asdict()) for one in change.fields]
        return cls(
            **told, source=author.source, by=author.by, reason=author.reason, event_id=author.event_id, fields=fields
        )


def router(seeing: Seeing, back: LookingBack) -> APIRouter:
    routes = APIRouter(prefix="/v1/contacts", tags=["history"], dependencies=[TAKES_PURPOSE])

    @routes.get("/{customer_id}/changes", summary="List the changes of a contact, the newest first")
    async def list_changes(
        principal: Reader, customer_id: CustomerId, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[ChangeBody]:
        """Of all who are one with it now. What was said of somebody who is not any more is shown without values."""
        view = seeing.by(principal)
        contact = await view.contact(customer_id)
        found = await back.changes(contact, moment_and_place(cursor), limit)
        shown = await view.changes_shown("changes", contact.customer_id, [change for _, change in found])
        last = found[-1] if len(found) == limit else None
        next_ = encode_moment(last[1].recorded_at, last[0]) if last else None
        return Page(items=[ChangeBody.of_change(change) for change in shown], next=next_)

    return routes
