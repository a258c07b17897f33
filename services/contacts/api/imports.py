"""The routes of imports: send a file, watch it being rehearsed and imported, get back what was not taken."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Protocol

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.contacts.api.import_bodies import ImportBody, Sample, Samples
from services.contacts.api.mappings import RAW, no_such_mapping
from services.contacts.domain.access import Sensitive
from services.contacts.domain.importing.mapping import Mapping
from services.contacts.domain.importing.speaking import UNREADABLE
from services.contacts.formats.safe import harmless
from services.contacts.handlers.imports import Import
from services.contacts.handlers.seeing import Seeing
from shared.contracts.fact import Uuid7
from shared.http import Cursor, Limit, Page, Problem, encode_cursor, text_of
from shared.ids import uuid7
from shared.security import TAKES_PURPOSE, Principal, require

Reader = Annotated[Principal, Depends(require("contacts:read"))]
Writer = Annotated[Principal, Depends(require("contacts:write"))]
PATH = "/v1/contacts/imports"
MAX_FILE_BYTES = 2 << 30
CHUNK = 1 << 20
"""Bytes of one document; a body is never held beyond that."""
ROWS_AT_A_TIME = 1_000


class Imports(Protocol):
    """Where imports are kept."""

    async def mapping(self, name: str) -> Mapping | None: ...

    async def add_chunk(self, import_id: str, number: int, data: bytes) -> None: ...

    async def forget_file(self, import_id: str) -> None: ...

    async def create(self, one: Import) -> None: ...

    async def find(self, import_id: str) -> Import | None: ...

    async def page(self, before: str | None, limit: int) -> list[Import]: ...

    async def cancel(self, import_id: str) -> bool: ...

    async def run(self, import_id: str) -> bool: ...

    async def rejected(self, import_id: str, after: int, limit: int) -> list[dict[str, Any]]: ...

    async def shown(self, import_id: str, outcome: str) -> list[dict[str, Any]]: ...


def router(imports: Imports, seeing: Seeing) -> APIRouter:
    """The routes; to be included before those that take any word for an id."""
    routes = APIRouter(prefix=PATH, tags=["imports"], dependencies=[TAKES_PURPOSE])
    _sending(routes, imports)
    _steering(routes, imports)
    _looking(routes, imports, seeing)
    return routes


def _sending(routes: APIRouter, imports: Imports) -> None:
    @routes.post("", status_code=202, summary="Send a file of contacts", openapi_extra=RAW)
    async def send_file(
        principal: Writer,
        request: Request,
        response: Response,
        mapping: Annotated[str, Query(max_length=50, description="The saved mapping by which it is read.")],
        file: Annotated[str, Query(max_length=200, description="Its name, for people.")] = "",
        dry_run: Annotated[bool, Query(description="Only say what would happen; then POST .../run does it.")] = False,
    ) -> ImportBody:
        """The body is the file as it is: CSV, XLSX, vCard, XML or JSON lines, up to 2 GiB."""
        found = await imports.mapping(mapping)
        if found is None:
            raise no_such_mapping(mapping)
        now = datetime.now(UTC)
        import_id = uuid7(now)
        try:
            size = await _keep(imports, import_id, request)
        except BaseException:
            await imports.forget_file(import_id)
            raise
        if size == 0:
            raise Problem(422, "No file", errors=[("body", "is empty")])
        one = Import(import_id, mapping, found, file, size, now.replace(microsecond=0), principal.key_id, dry_run)
        await imports.create(one)
        response.headers["location"] = f"{PATH}/{import_id}"
        return _body(one)


async def _keep(imports: Imports, import_id: str, request: Request) -> int:
    """The body in pieces, as it comes. Its bytes."""
    buffer, size, number = bytearray(), 0, 0
    async for piece in request.stream():
        buffer += piece
        size += len(piece)
        while len(buffer) >= CHUNK:
            await imports.add_chunk(import_id, number, bytes(buffer[:CHUNK]))
            del buffer[:CHUNK]
            number += 1
    if buffer:
        await imports.add_chunk(import_id, number, bytes(buffer))
    return size


def _steering(routes: APIRouter, imports: Imports) -> None:
    @routes.post("/{import_id}/run", status_code=202, summary="Import for good what a dry run has looked through")
    async def run_import(_: Writer, import_id: Uuid7) -> ImportBody:
        await _existing(imports, import_id)
        if not await imports.run(import_id):
            raise Problem(409, "Not after a dry run", "Only an import whose dry run is done can be run.")
        return _body(await _existing(imports, import_id))

    @routes.post("/{import_id}/cancel", summary="Stop an import")
    async def cancel_import(_: Writer, import_id: Uuid7) -> ImportBody:
        """What has been taken stays; the counts say how much. Nothing more is taken once this has answered."""
        await _existing(imports, import_id)
        if not await imports.cancel(import_id):
            raise Problem(409, "Over already", "The import has ended.")
        return _body(await _existing(imports, import_id))


def _looking(routes: APIRouter, imports: Imports, seeing: Seeing) -> None:
    @routes.get("", summary="List imports, the latest first")
    async def list_imports(_: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[ImportBody]:
        found = await imports.page(text_of(cursor, "before"), limit)
        next_ = encode_cursor({"before": found[-1].import_id}) if len(found) == limit else None
        return Page(items=[_body(one) for one in found], next=next_)

    @routes.get("/{import_id}", summary="How far an import is")
    async def read_import(_: Reader, import_id: Uuid7) -> ImportBody:
        return _body(await _existing(imports, import_id))

    @routes.get("/{import_id}/samples", summary="The first rows of an outcome, with before and after")
    async def read_samples(
        principal: Reader, import_id: Uuid7, outcome: Literal["new", "changed", "unchanged"] = "changed"
    ) -> Samples:
        await _existing(imports, import_id)
        shown = await seeing.by(principal).samples_shown("import-samples", await imports.shown(import_id, outcome))
        return Samples(items=[Sample.model_validate(one) for one in shown])

    @routes.get(
        "/{import_id}/rejected", summary="The rows that were not taken, as CSV", response_class=StreamingResponse
    )
    async def read_rejected(principal: Reader, import_id: Uuid7) -> StreamingResponse:
        """In the file's own columns, and `line`, `reason`, `column` and `detail`. Mended, it can be sent again.

        Without `contacts:sensitive` only cells are shown that the mapping says are nothing sensitive.
        """
        one = await _existing(imports, import_id)
        columns = list(one.columns) or list(
            dict.fromkeys(column.source for column in one.mapping.columns if column.source)
        )
        view = seeing.by(principal)
        seen = None if view.open else _harmless(one.mapping, view.sensitive)
        if view.open:
            # Whose they are nobody knows; of the columns that are not mapped, not even what they are.
            await view.note("import-rejected", [], filter(view.sensitive.may_be, (c.to for c in one.mapping.columns)))
        headers = {"content-disposition": f'attachment; filename="rejected-{import_id}.csv"'}
        return StreamingResponse(_rejected(imports, import_id, columns, seen), 200, headers, "text/csv; charset=utf-8")


def _harmless(mapping: Mapping, sensitive: Sensitive) -> frozenset[str]:
    """The columns of a file that are mapped, and to nothing sensitive."""
    hidden = {column.source for column in mapping.columns if sensitive.may_be(column.to)}
    return frozenset(column.source for column in mapping.columns if column.source and column.source not in hidden)


async def _rejected(
    imports: Imports, import_id: str, columns: list[str], seen: Collection[str] | None
) -> AsyncIterator[bytes]:
    """`seen`: the columns whose cells are shown; None: all, also of rows that could not be read."""
    yield _csv([[*columns, "line", "reason", "column", "detail"]])
    after = -1
    while rows := await imports.rejected(import_id, after, ROWS_AT_A_TIME):
        yield await asyncio.to_thread(_csv, [_told(row, columns, seen) for row in rows])
        after = rows[-1]["number"]


def _told(row: dict[str, Any], columns: list[str], seen: Collection[str] | None) -> list[str]:
    cells = dict(row["cells"])
    if seen is not None:
        # Of a row that cannot be read all may stand in the first column.
        cells = {name: cell for name, cell in cells.items() if name in seen and row["reason"] != UNREADABLE}
    first, *others = [_flat(cells.pop(name, "")) for name in columns]
    # What has no column, such as a whole card that could not be read, is shown in the first.
    rest = " ".join(_flat(cell) for cell in cells.values())
    return [first or rest, *others, str(row["line"]), row["reason"], row["column"] or "", row["detail"]]


def _flat(cell: Any) -> str:
    return cell if isinstance(cell, str) else orjson.dumps(cell).decode()


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


async def _existing(imports: Imports, import_id: str) -> Import:
    one = await imports.find(import_id)
    if one is None:
        raise Problem(404, detail=f"There is no import {import_id}.")
    return one


def _body(one: Import) -> ImportBody:
    return ImportBody.model_validate(vars(one) | {"mapping": one.mapping_name})
