"""Imports in MongoDB: mappings, files in pieces, how far each import is, what it would do, and the rows it did not take.

Files lie in plain documents of a megabyte: they are written and read once, from end to end, and the two drivers' GridFS differ.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import ASCENDING, DESCENDING

from services.contacts.domain.importing.mapping import Mapping, stored
from services.contacts.formats.records import Unreadable
from services.contacts.handlers import Store
from services.contacts.handlers.imports import OPEN, Back, Import, Step
from services.contacts.handlers.kept_files import KeptFile
from services.contacts.store.rehearsal import COLLECTIONS, Rehearsal, forget, of_import
from shared.ids import before
from shared.leases import Lease, MongoLease
from shared.mongo import Database, Document, Session, ensure_collections

FILES_KEPT = timedelta(days=7)
"""A file is needed until its import is done. As long as channels' events are kept for being read again."""
ROWS_KEPT = timedelta(days=14)
"""Rejected rows and samples: until somebody has mended them. They hold personal data, and an erasure waits until they are gone."""
FILES, ROWS, SAMPLES = "import_files", "import_rows", "import_samples"
HIDDEN = {"_id": 0, "expires_at": 0, "names": 0}
"""Of a sample."""
KEEPING = (FILES, ROWS, SAMPLES, *COLLECTIONS)
"""Where something of the people is who are in a file."""


class ImportStore:
    """The store of imports."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.mappings = database["mappings"]
        self.imports = database["imports"]
        self.files = database[FILES]
        self.rows = database[ROWS]
        self.samples = database[SAMPLES]

    async def prepare(self) -> None:
        mine = [self.mappings, self.imports, self.files, self.rows, self.samples]
        await ensure_collections(self.database, [*(one.name for one in mine), *COLLECTIONS])
        for name in KEEPING:
            await self.database[name].create_index("expires_at", expireAfterSeconds=0)
        for rows in (self.rows, self.samples):
            await rows.create_index("names")
        await self.samples.create_index("customer_id")
        # Few imports are open at a time, and the job asks for them every second.
        open_only = {"state": {"$in": list(OPEN)}}
        await self.imports.create_index("state", partialFilterExpression=open_only)

    async def save_mapping(self, name: str, mapping: Mapping, by: str) -> None:
        row = {"mapping": stored(mapping), "saved_by": by, "saved_at": datetime.now(UTC)}
        await self.mappings.replace_one({"_id": name}, row, upsert=True)

    async def mapping(self, name: str) -> Mapping | None:
        row = await self.mappings.find_one({"_id": name})
        return Mapping.model_validate_json(row["mapping"]) if row else None

    async def mapping_names(self, after: str, limit: int) -> list[str]:
        found = self.mappings.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def delete_mapping(self, name: str) -> bool:
        return bool((await self.mappings.delete_one({"_id": name})).deleted_count)

    async def add_chunk(self, import_id: str, number: int, data: bytes) -> None:
        place = f"{import_id}|{number:08}"
        await self.files.insert_one({"_id": place, "data": data, "expires_at": datetime.now(UTC) + FILES_KEPT})

    async def chunks(self, import_id: str) -> AsyncIterator[bytes]:
        number = 0
        # One by one, as a cursor would time out while rows are being taken.
        while row := await self.files.find_one({"_id": f"{import_id}|{number:08}"}):
            yield row["data"]
            number += 1
        if number == 0 and await self.size(import_id):
            raise Unreadable("the file is no longer kept; send it again")

    async def next_file(self, after: str) -> KeptFile | None:
        """The first file that is kept of the imports whose ids follow, whether it has come to its end or not."""
        beyond: Document = {"_id": {"$gt": f"{after}}}"}} if after else {}
        row = await self.files.find_one(beyond, {"expires_at": 1}, sort=[("_id", ASCENDING)])
        if row is None:
            return None
        import_id = row["_id"].partition("|")[0]
        return KeptFile(import_id, row["expires_at"], await self.find(import_id))

    async def size(self, import_id: str) -> int:
        row = await self.imports.find_one({"_id": import_id}, {"size": 1})
        return int(row["size"]) if row else 0

    async def older(self, moment: datetime) -> list[str]:
        """The collections in which something is left of files that were sent before that moment, or that are still read."""
        # All of their ids begin with an import's, which says when its file was sent: rows may be written days later.
        sent_before: Document = {"_id": {"$lt": before(moment)}}
        left = {name: await self.database[name].find_one(sent_before, {"_id": 1}) for name in KEEPING}
        left[self.imports.name] = await self.imports.find_one(sent_before | {"state": {"$in": list(OPEN)}}, {"_id": 1})
        return sorted(name for name, row in left.items() if row)

    async def forget_file(self, import_id: str) -> None:
        await self.files.delete_many(of_import(import_id))

    async def create(self, one: Import) -> None:
        """From now on it waits for its turn."""
        await self.imports.insert_one(_row(one))

    async def find(self, import_id: str) -> Import | None:
        row = await self.imports.find_one({"_id": import_id})
        return _read(row) if row else None

    async def page(self, before: str | None, limit: int) -> list[Import]:
        """The latest first."""
        wanted: Document = {"_id": {"$lt": before}} if before else {}
        return [_read(row) async for row in self.imports.find(wanted).sort("_id", DESCENDING).limit(limit)]

    async def open(self) -> list[Import]:
        found = self.imports.find({"state": {"$in": list(OPEN)}}).sort("_id", ASCENDING).limit(100)
        return [_read(row) async for row in found]

    def lease(self, import_id: str) -> Lease:
        return MongoLease(self.database, f"import-{import_id}")

    async def begin(self, import_id: str) -> None:
        waiting = {"_id": import_id, "state": "waiting"}
        now = datetime.now(UTC)
        await self.imports.update_one(waiting, {"$set": {"state": "running", "started_at": now}})

    async def advance(self, import_id: str, step: Step, session: Session) -> bool:
        moved: Document = {"$set": {"rows": step.start + step.rows, "share": step.share, "columns": list(step.columns)}}
        added = {f"counts.{outcome}": count for outcome, count in step.counts.items()}
        for row in step.rejected:
            reason = f"rejected.{row.why.reason}"
            added[reason] = added.get(reason, 0) + 1
        if added:
            moved["$inc"] = added
        here = {"_id": import_id, "state": "running", "rows": step.start}
        if (await self.imports.update_one(here, moved, session=session)).matched_count == 0:
            return False
        until = datetime.now(UTC) + ROWS_KEPT
        rows = [_rejected(import_id, row, until) for row in step.rejected]
        if rows:
            await self.rows.insert_many(rows, ordered=False, session=session)
        samples = [
            {"_id": f"{import_id}|{outcome}|{number:010}", **shown, "expires_at": until}
            for outcome, number, shown in step.samples
        ]
        if samples:
            await self.samples.insert_many(samples, ordered=False, session=session)
        return True

    async def finish(self, import_id: str, state: str, error: str | None) -> None:
        ended = {"state": state, "error": error, "finished_at": datetime.now(UTC)}
        await self.imports.update_one({"_id": import_id, "state": "running"}, {"$set": ended})

    async def cancel(self, import_id: str) -> bool:
        """False if it is over already."""
        ended = {"state": "cancelled", "finished_at": datetime.now(UTC)}
        found = await self.imports.update_one({"_id": import_id, "state": {"$in": list(OPEN)}}, {"$set": ended})
        return bool(found.matched_count)

    async def run(self, import_id: str) -> bool:
        """After its dry run, the same file for good. False if it is not after a dry run."""
        rehearsed = {"rows": "$rows", "counts": "$counts", "rejected": "$rejected"}
        anew = {
            "state": "waiting", "dry_run": False, "rehearsed": rehearsed, "rows": 0, "counts": {}, "rejected": {},
            "share": None, "started_at": None, "finished_at": None,
        }  # fmt: skip
        literal = {
            name: {"$literal": value} if isinstance(value, dict) and not value else value
            for name, value in anew.items()
        }
        literal["rehearsed"] = rehearsed
        after_dry_run = {"_id": import_id, "dry_run": True, "state": "done"}
        before = datetime.now(UTC)
        if await self.imports.find_one(after_dry_run, {"_id": 1}):
            await self._forget_rows(import_id, before)
        return bool((await self.imports.update_one(after_dry_run, [{"$set": literal}])).matched_count)

    async def _forget_rows(self, import_id: str, before: datetime) -> None:
        """Of the dry run: those of the run have the same places. Asked for twice at once, the run may be under way already."""
        for collection in (self.rows, self.samples):
            await collection.delete_many(of_import(import_id) | {"expires_at": {"$lte": before + ROWS_KEPT}})

    async def rejected(self, import_id: str, after: int, limit: int) -> list[Document]:
        """The rows that follow a place in the file, in its order: `number`, `line`, `reason`, `column`, `detail`, `cells`."""
        wanted = {"_id": {"$gt": f"{import_id}|{after:010}", "$lt": f"{import_id}}}"}}
        return [row async for row in self.rows.find(wanted).sort("_id", ASCENDING).limit(limit)]

    async def shown(self, import_id: str, outcome: str) -> list[Document]:
        """The first rows of an outcome, with before and after."""
        place = f"{import_id}|{outcome}"
        wanted = {"_id": {"$gt": f"{place}|", "$lt": f"{place}}}"}}
        return [row async for row in self.samples.find(wanted, HIDDEN).sort("_id", ASCENDING)]

    def rehearsal(self, import_id: str, store: Store) -> Store:
        return Rehearsal(self.database, import_id, store)

    async def forget_rehearsal(self, import_id: str) -> None:
        await forget(self.database, import_id)


def _row(one: Import) -> Document:
    row: dict[str, Any] = dict(vars(one)) | {"mapping": stored(one.mapping), "columns": list(one.columns)}
    return {"_id": row.pop("import_id"), **row}


def _read(row: Document) -> Import:
    return Import(import_id=row.pop("_id"), **row | {"mapping": Mapping.model_validate_json(row["mapping"])})


def _rejected(import_id: str, row: Back, until: datetime) -> Document:
    return {
        "_id": f"{import_id}|{row.number:010}",
        "number": row.number,
        "line": row.record.line,
        "reason": row.why.reason,
        "column": row.why.column,
        "detail": row.why.detail,
        # As pairs: names of columns may hold what names of fields cannot.
        "cells": [[name, cell] for name, cell in row.record.cells.items()],
        "names": sorted(row.names),
        "expires_at": until,
    }
