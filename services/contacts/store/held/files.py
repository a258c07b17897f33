"""Of files of contacts: rows that were not taken, and what was shown of those that were, as long as either is kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.contacts.domain.importing.speaking import UNREADABLE
from services.contacts.domain.naming import names_of
from services.contacts.store.imports import ROWS, SAMPLES
from services.contacts.store.rows import read_known
from shared.held import Item, Piece, Section
from shared.ids import made_at
from shared.mongo import Database, Document

NOT_SHOWN = "It may be about somebody else too, whose it is not yours to see, or it could not be read; it is deleted after two weeks."


def refused_rows(database: Database) -> Section:
    about = (
        "Rows of files about you that were not taken, each with the reason; they are kept for two weeks. The files themselves are kept "
        "for a week at most, until they are read, and are not looked through."
    )
    return Section("refused_rows", about, _Rows(database, ROWS).read)


def shown_rows(database: Database) -> Section:
    about = (
        "Rows of files about you of which it was shown what they change, or would change; they are kept for two weeks."
    )
    return Section("shown_rows", about, _Rows(database, SAMPLES).read)


class _Rows:
    """They are found by what the customer is known by, as rows that were not taken are of no customer."""

    def __init__(self, database: Database, collection: str) -> None:
        self._contacts = database["contacts"]
        self._identities = database["identities"]
        self._imports = database["imports"]
        self._rows = database[collection]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        contacts = self._contacts.find({"_id": {"$in": list(customers)}})
        names = names_of([read_known(row).contact async for row in contacts])
        wanted = {"names": {"$in": sorted(names)}, "_id": {"$gt": place or ""}}
        rows = await self._rows.find(wanted).sort("_id", 1).limit(limit).to_list(None)
        others = await self._of_others({name for row in rows for name in row["names"]}, set(customers))
        files = await self._files(rows)
        items = [_row(row, files, own=others.isdisjoint(row["names"])) for row in rows]
        return items, rows[-1]["_id"] if len(rows) == limit else None

    async def _of_others(self, names: Iterable[str], customers: set[str]) -> set[str]:
        found = self._identities.find({"_id": {"$in": sorted(names)}})
        return {row["_id"] async for row in found if row["customer_id"] not in customers}

    async def _files(self, rows: Sequence[Document]) -> Mapping[str, str]:
        wanted = {"_id": {"$in": sorted({_import_of(row) for row in rows})}}
        return {row["_id"]: row["file"] async for row in self._imports.find(wanted, {"file": 1})}


def _import_of(row: Document) -> str:
    import_id: str = row["_id"].partition("|")[0]
    return import_id


def _row(row: Document, files: Mapping[str, str], *, own: bool) -> Item:
    import_id = _import_of(row)
    item: dict[str, Any] = {"sent_at": made_at(import_id), "file": files.get(import_id), "line": row["line"]}
    if not own or row.get("reason") == UNREADABLE:
        return item | {"reason": row.get("reason"), "not_shown": NOT_SHOWN}
    if "cells" in row:
        item |= {name: row[name] for name in ("reason", "column", "detail")}
        return item | {"said": dict(row["cells"])}
    return item | {name: row[name] for name in ("before", "after", "changed")}
