"""What is matched in MongoDB: a record of each customer with its keys, the pairs that were found, what was learnt.

The blocking index is an index of the database over the records' keys: it is always there, needs no memory of ours, and a
record and its keys are written as one.
"""

import asyncio
from collections.abc import Collection as Many, Sequence
from typing import Any

from pymongo import ASCENDING, DESCENDING, DeleteOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from services.contacts.domain.matching.proposals import Customers, couple, name_of
from services.contacts.domain.matching.record import Record
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.proposals import Kept, Model, Proposal, Report, Wanted, mark
from services.contacts.store.holders import Holders
from services.contacts.store.match_rows import (
    proposal_row,
    read_model,
    read_record,
    read_wanted,
    record_row,
)
from services.contacts.store.rows import read_known
from shared.mongo import Collection, Database, Session, ensure_collections

READ_AT_ONCE = 500
"""Records that are decoded at a time, a few milliseconds of the event loop's."""
WITHOUT_KEYS = {"keys": 0, "whole": 0}
DUPLICATE_KEY = 11_000
INDEX_NOT_FOUND = 27
LIMITS = "limits"


class MatchStore:
    """The records, pairs and models of matching."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.contacts = database["contacts"]
        self.conflicts = database["conflicts"]
        self.merges = database["merges"]
        self.records = database["match_records"]
        self.pairs = database["match_pairs"]
        self.models = database["match_models"]
        self.notes = database["matching"]
        self._holders = Holders(self.records)
        self._model: Model | None = None

    async def prepare(self) -> None:
        await ensure_collections(
            self.database, [one.name for one in (self.records, self.pairs, self.models, self.notes)]
        )
        await self.records.create_index("keys")
        await self._drop_index("keys_1__id_1")
        await self.records.create_index([("whole", ASCENDING), ("_id", ASCENDING)], sparse=True)
        await self.pairs.create_index("customers")
        await self.pairs.create_index([("state", ASCENDING), ("probability", DESCENDING), ("_id", ASCENDING)])
        await self.conflicts.create_index("customers")

    async def _drop_index(self, name: str) -> None:
        """One of before, of twice the size. Another instance may be doing so too."""
        if name in await self.records.index_information():
            try:
                await self.records.drop_index(name)
            except OperationFailure as error:
                if error.code != INDEX_NOT_FOUND:
                    raise

    async def load(self, customers: Many[str]) -> dict[str, Known]:
        if not customers:
            return {}
        return {row["_id"]: read_known(row) async for row in self.contacts.find({"_id": {"$in": list(customers)}})}

    async def kept(self, customers: Many[str]) -> dict[str, Kept]:
        if not customers:
            return {}
        found: dict[str, Kept] = {}
        asked = list(customers)
        for start in range(0, len(asked), READ_AT_ONCE):
            some = {"_id": {"$in": asked[start : start + READ_AT_ONCE]}}
            rows = await self.records.find(some, WITHOUT_KEYS).batch_size(READ_AT_ONCE + 1).to_list(None)
            found |= {row["_id"]: read_record(row) for row in rows}
        return found

    async def put(self, records: Sequence[Kept]) -> None:
        rows = [record_row(one) for one in records]
        await _write(self.records, [ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in rows])

    async def drop(self, customers: Many[str]) -> None:
        if customers:
            await self.records.delete_many({"_id": {"$in": list(customers)}})

    async def forget(self, customers: Many[str]) -> None:
        if customers:
            await self.drop(customers)
            await self.pairs.delete_many({"customers": {"$in": list(customers)}})

    async def settle(self, customers: Many[str], mark: str) -> None:
        if customers:
            await self.records.update_many({"_id": {"$in": list(customers)}}, {"$set": {"mark": mark}})

    async def holders(self, records: Sequence[Record]) -> list[list[str]]:
        return await self._holders.of(records)

    async def reported(self, customers: Many[str]) -> list[Report]:
        found = self.conflicts.find({"customers": {"$in": list(customers)}})
        return [Report(couple(*row["customers"]), tuple(row["identifiers"]), row["seen_at"]) async for row in found]

    async def rejected(self, customers: Many[str]) -> set[Customers]:
        if not customers:
            return set()
        theirs = {"customers": {"$in": list(customers)}}
        found = {couple(*row["customers"]) async for row in self.pairs.find({**theirs, "state": "rejected"})}
        undone = self.merges.find({**theirs, "undone_at": {"$ne": None}}, {"customers": 1})
        return found | {couple(*row["customers"]) async for row in undone}

    async def proposals_of(self, customers: Many[str]) -> set[Customers]:
        if not customers:
            return set()
        wanted = {"customers": {"$in": list(customers)}, "state": "open"}
        return {couple(*row["customers"]) async for row in self.pairs.find(wanted, {"customers": 1})}

    async def propose(self, proposals: Sequence[Proposal], dropped: Many[Customers]) -> None:
        writes: list[UpdateOne | DeleteOne] = []
        for one in proposals:
            row = proposal_row(one)
            found = None if one.identifiers else row.pop("seen_at")
            first = {"$setOnInsert": {"seen_at": found}} if found else {}
            writes.append(
                UpdateOne({"_id": name_of(one.customers), "state": "open"}, {"$set": row, **first}, upsert=True)
            )
        writes += [DeleteOne({"_id": name_of(one), "state": "open"}) for one in sorted(dropped)]
        try:
            await _write(self.pairs, writes)
        except BulkWriteError as error:
            # Those decided meanwhile are there under another state, and stay as they are.
            if any(failed["code"] != DUPLICATE_KEY for failed in error.details["writeErrors"]):
                raise

    async def wanted(self, session: Session | None = None) -> Wanted:
        return read_wanted(await self.notes.find_one({"_id": LIMITS}, session=session))

    async def want(self, wanted: Wanted, session: Session | None) -> None:
        row = {"automatic": wanted.limits.automatic, "review": wanted.limits.review, "revision": wanted.revision}
        await self.notes.replace_one({"_id": LIMITS}, row, upsert=True, session=session)

    async def mark(self) -> str:
        return mark(await self.version(), (await self.wanted()).revision)

    async def version(self) -> int:
        newest = await self.models.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)])
        return int(newest["_id"]) if newest else 0

    async def model(self) -> Model:
        version = await self.version()
        if self._model is None or self._model.version != version:
            row = await self.models.find_one({"_id": version})
            self._model = await asyncio.to_thread(read_model, row)
        return self._model


async def _write(collection: Collection, requests: Sequence[Any], session: Session | None = None) -> None:
    if requests:
        await collection.bulk_write(list(requests), ordered=False, session=session)
