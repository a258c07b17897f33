"""The routes that give many contacts to another owner or territory."""

from datetime import datetime
from typing import Annotated, Self, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.contacts.api.entering import author
from services.contacts.handlers.reassigning import Assigned, Reassigning, Reassignment
from shared.contracts.fact import Code, Key, Uuid7
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import Principal, require

# Shut to keys that are limited to some contacts: it is about all of an owner's or a territory's.
Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]


class Assignment(BaseModel):
    """An owner, a territory or both. Null: nobody, none."""

    model_config = ConfigDict(extra="forbid")

    owner: Key | None = None
    territory: Code | None = None

    @model_validator(mode="after")
    def says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("needs `owner`, `territory` or both")
        return self

    @property
    def said(self) -> dict[Assigned, str | None]:
        return cast("dict[Assigned, str | None]", self.model_dump(exclude_unset=True))


class NewReassignment(BaseModel):
    """Contacts that are all of `of` become `to`; what is not named there stays."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"of": {"owner": "ann", "territory": "north"}, "to": {"owner": "bob"}}]},
    )

    of: Assignment
    to: Assignment


class ReassignmentBody(BaseModel):
    """How far it is got."""

    model_config = ConfigDict(from_attributes=True)

    reassignment_id: str
    of: dict[Assigned, str | None]
    to: dict[Assigned, str | None]
    source: str
    asked_at: datetime
    changed: Annotated[int, Field(description="Contacts so far.")]
    done_at: Annotated[datetime | None, Field(description="Null: under way.")]


def router(reassigning: Reassigning, messaging: Messaging) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts", tags=["contacts"])

    @routes.post(
        "/reassign",
        status_code=202,
        response_model=ReassignmentBody,
        dependencies=[TAKES_KEY],
        summary="Give many contacts to another owner or territory",
    )
    async def reassign_contacts(principal: Writer, new: NewReassignment, request: Request) -> Response:
        """It is done in pieces, and goes on where it was interrupted; `Location` says how far it is got. Contacts that become
        `of` while it runs may or may not be among them.
        """

        async def change(unit: Unit) -> Answer:
            one = await reassigning.ask(unit, new.of.said, new.to.said, author(principal))
            return Answer(202, _body(one), {"location": f"/v1/contacts/reassignments/{one.reassignment_id}"})

        return await idempotent(request, principal, messaging, change)

    @routes.get("/reassignments/{reassignment_id}", summary="How far a reassignment is got")
    async def read_reassignment(_: Reader, reassignment_id: Uuid7) -> ReassignmentBody:
        return _body(await reassigning.read(reassignment_id))

    return routes


def _body(one: Reassignment) -> ReassignmentBody:
    return ReassignmentBody.model_validate(one)
