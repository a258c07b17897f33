"""Of files of contacts: rows that were not taken, what was shown of those that were, and the files, as long as each is kept."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.contacts.domain.importing.speaking import UNREADABLE
from services.contacts.domain.naming import names_of
from services.contacts.handlers.imports import Import
from services.contacts.handlers.kept_files import Found, KeptFile, Looked, LookingThrough
from services.contacts.store.imports import ROWS, SAMPLES, ImportStore
from services.contacts.store.rows import read_known
from shared.held import Item, Piece, Section
from shared.http import bad_cursor
from shared.ids import made_at
from shared.mongo import Database, Document

NOT_SHOWN = "It may be about somebody else too, whose it is not yours to see, or it could not be read."


def refused_rows(database: Database) -> Section:
    about = "Rows of files about you that were not taken, each with the reason; they are kept for two weeks."
    return Section("refused_rows", about, _Rows(database, ROWS).read)


def shown_rows(database: Database) -> Section:
    about = (
        "Rows of files about you of which it was shown what they change, or would change; they are kept for two weeks."
    )
    return Section("shown_rows", about, _Rows(database, SAMPLES).read)


def kept_files(database: Database, country: str | None) -> Section:
    """`country`: of telephone numbers without one."""
    about = (
        "Files with rows about you that are still kept: a week at most, or until they are done with. `reached`: the import has come to "
        "the row, and has taken it or not. A file that could not be looked through for you is named with the reason, also if you may "
        "not be in it."
    )
    return Section("kept_files", about, _Files(database, country).read)


class _Naming:
    """What customers are known by in files, of whom no row needs to say who they are here."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self._identities = database["identities"]

    async def names(self, customers: Sequence[str]) -> frozenset[str]:
        contacts = self._contacts.find({"_id": {"$in": list(customers)}})
        return names_of([read_known(row).contact async for row in contacts])

    async def of_others(self, names: Iterable[str], customers: set[str]) -> set[str]:
        found = self._identities.find({"_id": {"$in": sorted(names)}})
        return {row["_id"] async for row in found if row["customer_id"] not in customers}


class _Rows:
    """They are found by what the customer is known by, as rows that were not taken are of no customer."""

    def __init__(self, database: Database, collection: str) -> None:
        self._naming = _Naming(database)
        self._imports = database["imports"]
        self._rows = database[collection]

    async def read(self, customers: Sequence[str], place: str | None, limit: int) -> Piece:
        names = await self._naming.names(customers)
        wanted = {"names": {"$in": sorted(names)}, "_id": {"$gt": place or ""}}
        rows = await self._rows.find(wanted).sort("_id", 1).limit(limit).to_list(None)
        others = await self._naming.of_others({name for row in rows for name in row["names"]}, set(customers))
        files = await self._files(rows)
        items = [_row(row, files, own=others.isdisjoint(row["names"])) for row in rows]
        return items, rows[-1]["_id"] if len(rows) == limit else None

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


SECONDS = 30.0
"""That one answer may take to look through files. A million rows take some 15 s."""


class _Files:
    """A file a page, in the order in which they were sent. The place says for how long others have been looked through, and which
    was the last.
    """

    def __init__(self, database: Database, country: str | None) -> None:
        self._naming = _Naming(database)
        self._imports = ImportStore(database)
        self._looking = LookingThrough(self._imports, country)

    async def read(self, customers: Sequence[str], place: str | None, _: int) -> Piece:
        spent, after = _spent(place)
        names = await self._naming.names(customers)
        kept = await self._imports.next_file(after) if names else None
        if kept is None:
            return [], None
        looked = await self._looking.look(kept, names, min(SECONDS, SECONDS - spent))
        items = [await self._item(kept, looked, set(customers))] if looked.found or looked.left else []
        return items, f"{spent + looked.seconds:.3f}|{kept.import_id}"

    async def _item(self, kept: KeptFile, looked: Looked, customers: set[str]) -> Item:
        item: dict[str, Any] = {
            "import_id": kept.import_id,
            "sent_at": made_at(kept.import_id),
            "kept_until": kept.until,
        }
        if kept.one and looked.found:
            others = await self._naming.of_others({name for one in looked.found for name in one.names}, customers)
            rows = [_found(kept.one, one, own=others.isdisjoint(one.names)) for one in looked.found]
            item |= {"file": kept.one.file, "sent_by": kept.one.created_by, "rows": rows}
        if looked.more:
            item["more_rows"] = looked.more
        if looked.left:
            item["not_looked_through"] = f"{looked.left}; rows that were looked at: {looked.rows}"
        return item


def _spent(place: str | None) -> tuple[float, str]:
    """Raises a Problem, if it is none that we have given."""
    seconds, _, after = (place or "0|").partition("|")
    try:
        return float(seconds), after
    except ValueError:
        raise bad_cursor() from None


def _found(of: Import, one: Found, *, own: bool) -> Item:
    item: dict[str, Any] = {"line": one.record.line, "reached": not of.dry_run and one.number < of.rows}
    return item | ({"said": one.record.cells} if own and one.record.fault is None else {"not_shown": NOT_SHOWN})
