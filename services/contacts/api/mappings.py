"""The routes of saved mappings: how files are read, and a proposal made from a file's beginning."""

import asyncio
from collections.abc import Iterator
from io import BytesIO
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ValidationError

from services.contacts.domain.importing.mapping import Mapping
from services.contacts.domain.importing.proposing import propose
from services.contacts.formats.opening import form_of, opened
from services.contacts.formats.records import Layout, Reader as Records, Record, Unreadable
from shared.http import Cursor, Limit, Page, Problem, encode_cursor, text_of
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,49}$", examples=["customers"])]
RAW = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}


class Mappings(Protocol):
    """Where mappings are kept."""

    async def save_mapping(self, name: str, mapping: Mapping, by: str) -> None: ...

    async def mapping(self, name: str) -> Mapping | None: ...

    async def mapping_names(self, after: str, limit: int) -> list[str]: ...

    async def delete_mapping(self, name: str) -> bool: ...


class Proposal(BaseModel):
    """A mapping to look through and to save, and of each column that it leaves out, its first value."""

    mapping: Mapping
    left_out: dict[str, str | list[str]]


def router(mappings: Mappings) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix="/v1/contacts/mappings", tags=["imports"])

    @routes.get("", summary="List the saved mappings")
    async def list_mappings(_: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[str]:
        names = await mappings.mapping_names(text_of(cursor, "after") or "", limit)
        return Page(items=names, next=encode_cursor({"after": names[-1]}) if len(names) == limit else None)

    @routes.post("/proposal", summary="Propose a mapping from the beginning of a file", openapi_extra=RAW)
    async def propose_mapping(_: Reader, request: Request) -> Proposal:
        """Send a whole small file, or the first rows of a large one; of XLSX the whole."""
        body = await request.body()
        try:
            return await asyncio.to_thread(_proposed, body)
        except Unreadable as error:
            raise unreadable(error) from None

    @routes.get("/{name}", response_model_exclude_defaults=True, summary="Read a mapping")
    async def read_mapping(_: Reader, name: Name) -> Mapping:
        found = await mappings.mapping(name)
        if found is None:
            raise no_such_mapping(name)
        return found

    @routes.put("/{name}", status_code=204, summary="Save a mapping")
    async def save_mapping(principal: Writer, name: Name, mapping: Mapping) -> Response:
        """Imports that are under way go on with the mapping that they began with."""
        await mappings.save_mapping(name, mapping, principal.key_id)
        return Response(status_code=204)

    @routes.delete("/{name}", status_code=204, summary="Delete a mapping")
    async def delete_mapping(_: Writer, name: Name) -> Response:
        if not await mappings.delete_mapping(name):
            raise no_such_mapping(name)
        return Response(status_code=204)

    return routes


def no_such_mapping(name: str) -> Problem:
    return Problem(404, detail=f"There is no mapping {name}.")


def unreadable(error: Unreadable) -> Problem:
    return Problem(422, "Unreadable file", str(error), errors=[("body", str(error))])


class _Beginning:
    """What can be read of a file that was cut off somewhere."""

    def __init__(self, records: Records) -> None:
        self.columns = records.columns
        self._records = records

    def __iter__(self) -> Iterator[Record]:
        read = 0
        try:
            for record in self._records:
                yield record
                read += 1
        except Unreadable:
            if not read:
                raise


def _proposed(body: bytes) -> Proposal:
    file = BytesIO(body)
    form = form_of(file)
    try:
        proposal = propose(form, _Beginning(opened(file, form, Layout())))
    except ValidationError:
        raise Unreadable("no record can be read in it") from None
    return Proposal(mapping=proposal.mapping, left_out=proposal.left_out)
