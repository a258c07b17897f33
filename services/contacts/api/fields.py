"""The routes of fields that a company defines for its contacts. They are searched with the contacts' own (`api/wanted.py`)."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field as Body

from services.contacts.domain.fields import Definition, FieldName
from services.contacts.handlers.catalogue import Field, Work
from services.contacts.handlers.defining import Defining, NoSuchField
from shared.http import Page
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read", rows=True))]
"""Definitions say nothing of any contact."""
Definer = Annotated[Principal, Depends(require("contacts:fields"))]


class NewField(Definition):
    """What a field holds. The value of a list is one text: choices with commas between them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "choice",
                    "choices": ["bronze", "silver", "gold"],
                    "sensitivity": "internal",
                    "searchable": True,
                    "title": {"en": "Loyalty tier", "de": "Treuestufe"},
                }
            ]
        },
    )


class FieldBody(Definition):
    """A field, and what is still being done after its last change."""

    name: str
    work: Annotated[Work | None, Body(description="`move`: values to where its sensitivity wants them; `drop`: them.")]

    @classmethod
    def of(cls, name: str, field: Field) -> Self:
        return cls(name=name, work=field.work, **field.definition.model_dump())


def router(defining: Defining) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts/fields", tags=["fields"])

    @routes.get("", summary="List the fields that are defined")
    async def list_fields(_: Reader) -> Page[FieldBody]:
        """All of them, at most 200, on one page."""
        return Page(items=[FieldBody.of(name, field) for name, field in (await defining.fields.all()).items()])

    @routes.get("/{name}", summary="Read a field")
    async def read_field(_: Reader, name: FieldName) -> FieldBody:
        field = (await defining.fields.all()).get(name)
        if field is None:
            raise NoSuchField(name)
        return FieldBody.of(name, field)

    @routes.put("/{name}", summary="Define a field, or change it")
    async def define_field(_: Definer, name: FieldName, new: NewField) -> FieldBody:
        """Known everywhere within seconds. 409 if contacts have values that it would not take; it says how many."""
        definition = Definition.model_validate(new.model_dump())
        return FieldBody.of(name, await defining.define(name, definition))

    @routes.delete(
        "/{name}",
        status_code=204,
        responses={202: {"description": "Its values are being dropped."}},
        summary="Forget a field",
    )
    async def delete_field(
        _: Definer,
        name: FieldName,
        values: Annotated[
            Literal["keep", "drop"], Query(description="What becomes of them. `drop` ends within minutes.")
        ],
    ) -> Response:
        """202 if values are being dropped: until then the field is there, and takes no more."""
        left = await defining.delete(name, drop=values == "drop")
        return Response(status_code=202 if left else 204)

    return routes
