"""Customers whose data are kept and not used, a document each; most installations have none."""

from collections.abc import Collection, Mapping

from pymongo import ASCENDING, DeleteOne, UpdateOne

from shared.mongo import Database, Document, Session, ensure_collections

COLLECTION = "restricted"
NOTES, ALL_HIDDEN = "notes", "restricted-hidden"
"""Where it is put down that nothing is scored of anybody restricted. A rebuild takes it away."""


class MongoRestrictions:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._restricted = database[COLLECTION]
        self._notes = database[NOTES]

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])

    async def put(self, customers: Mapping[str, bool], session: Session | None) -> None:
        """Who is, and who is no more."""
        writes = [
            UpdateOne({"_id": one}, {"$setOnInsert": {}}, upsert=True) if restricted else DeleteOne({"_id": one})
            for one, restricted in customers.items()
        ]
        if writes:
            await self._restricted.bulk_write(writes, ordered=False, session=session)

    async def among(self, customers: Collection[str], session: Session | None = None) -> set[str]:
        found = self._restricted.find({"_id": {"$in": list(customers)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def everybody(self) -> list[str]:
        return [row["_id"] async for row in self._restricted.find({}, {"_id": 1})]

    async def all_hidden(self) -> bool:
        return await self._notes.find_one({"_id": ALL_HIDDEN}) is not None

    async def put_down_all_hidden(self) -> None:
        await self._notes.replace_one({"_id": ALL_HIDDEN}, {}, upsert=True)

    async def page(self, after: str | None, limit: int) -> list[str]:
        beyond: Document = {"_id": {"$gt": after}} if after else {}
        found = self._restricted.find(beyond, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]
