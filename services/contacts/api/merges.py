"""The routes of merges: two contacts who are one."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.contacts.api.entering import rows_of
from services.contacts.domain.merging import Merge
from services.contacts.handlers import Decision, Merging
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import CustomerId, Uuid7
from shared.http import Cursor, Limit, Page, encode_cursor, text_of
from shared.idempotency import TAKES_KEY, answering, idempotent
from shared.messaging import Messaging
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
Merger = Annotated[Principal, Depends(require("contacts:merge", rows=True))]
Reason = Annotated[str, Field(min_length=1, max_length=1000, description="Why. Kept here, told to nobody.")]

ANN = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"
ANN_AGAIN = "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"


class NewMerge(BaseModel):
    """Who is found to be the same person as the contact in the path."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"absorbed": ANN_AGAIN, "reason": "Same loyalty card"}]}
    )

    absorbed: Annotated[CustomerId, Field(description="The contact that becomes part of the one in the path.")]
    reason: Reason | None = None


class Undo(BaseModel):
    """Why the two are not one after all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"reason": "Mother and daughter"}]})

    reason: Reason | None = None


class MergeBody(BaseModel):
    """A merge: who decided it, when and why, and whether it was taken back."""

    model_config = ConfigDict(from_attributes=True)

    merge_id: str
    survivor: str
    absorbed: str
    merged_at: datetime
    merged_by: Annotated[str, Field(description="The key that asked for it.")]
    reason: str | None
    undone_at: datetime | None
    undone_by: str | None
    undo_reason: str | None


class Merges(Protocol):
    """What is read beside the use cases."""

    async def merge(self, merge_id: str, session: None) -> Merge | None: ...

    async def merges_of(self, customers: Collection[str], before: str | None, limit: int) -> list[Merge]: ...


def router(merging: Merging, merges: Merges, messaging: Messaging, seeing: Seeing) -> APIRouter:
    """The routes, over the use cases and what is kept."""
    routes = APIRouter(prefix="/v1", tags=["merges"])
    _reading(routes, merges, seeing)
    _writing(routes, merging, messaging)
    return routes


def _reading(routes: APIRouter, merges: Merges, seeing: Seeing) -> None:
    @routes.get("/contacts/{customer_id}/merges", summary="List the merges of a contact, latest first")
    async def list_merges(
        principal: Reader, customer_id: CustomerId, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[MergeBody]:
        """Also those that were taken back, and those of all contacts that are part of this one."""
        contact = await seeing.by(principal).contact(customer_id)
        members = {customer_id, contact.customer_id, *contact.absorbed}
        found = await merges.merges_of(members, text_of(cursor, "before"), limit)
        next_ = encode_cursor({"before": found[-1].merge_id}) if len(found) == limit else None
        return Page(items=[MergeBody.model_validate(one) for one in found], next=next_)


def _writing(routes: APIRouter, merging: Merging, messaging: Messaging) -> None:
    @routes.post(
        "/contacts/{customer_id}/merges",
        response_model=MergeBody,
        dependencies=[TAKES_KEY],
        summary="Merge a contact into another",
    )
    async def merge_contacts(principal: Merger, customer_id: CustomerId, new: NewMerge, request: Request) -> Response:
        """From now on the contact, the survivor, is made of both, and answers for both. Nothing is lost, and it can be undone.

        The same merge again is answered as it stands. 409 if one of the two was merged into somebody else before:
        `Location` says into whom.
        """
        decision = _decision(principal, new.reason)
        change = answering(MergeBody, lambda unit: merging.merge(unit, customer_id, new.absorbed, decision))
        return await idempotent(request, principal, messaging, change)

    @routes.post(
        "/merges/{merge_id}/undo", response_model=MergeBody, dependencies=[TAKES_KEY], summary="Take a merge back"
    )
    async def undo_merge(principal: Merger, merge_id: Uuid7, undo: Undo, request: Request) -> Response:
        """Both are as they would be had they never been merged, each with what was said under their own identifiers."""
        decision = _decision(principal, undo.reason)
        change = answering(MergeBody, lambda unit: merging.undo(unit, merge_id, decision))
        return await idempotent(request, principal, messaging, change)


def _decision(principal: Principal, reason: str | None) -> Decision:
    return Decision(f"/keys/{principal.key_id}", reason, principal.name, rows_of(principal))
