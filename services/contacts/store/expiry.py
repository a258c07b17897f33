"""What ends or begins by itself, in MongoDB: each contact keeps when the first of it does, in an index of those that have any."""

from collections.abc import Collection as Many, Sequence
from datetime import datetime

from pymongo import ASCENDING

from shared.leases import Lease, MongoLease
from shared.mongo import Database, Document

ENDS = "do_not_contact.until"
UNKNOWN: Document = {
    ENDS: {"$type": "date"},
    "$or": [{"lapses": None}, {"$expr": {"$gt": ["$lapses", {"$min": f"${ENDS}"}]}}],
}
"""Kept before bars counted as what ends by itself."""


class ExpiryStore:
    """Finds customers of whom something is to be told."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self.lease: Lease = MongoLease(database, "consents-lease")

    async def prepare(self) -> None:
        # Nearly nobody grants anything for a time, or is barred, so sparse indexes cost the others nothing.
        await self._contacts.create_index([("lapses", ASCENDING)], sparse=True)
        await self._contacts.create_index([(ENDS, ASCENDING)], sparse=True)

    async def due(self, now: datetime, limit: int, besides: Many[str] = ()) -> Sequence[str]:
        wanted: Document = {"lapses": {"$lte": now}} | ({"_id": {"$nin": list(besides)}} if besides else {})
        found = self._contacts.find(wanted, {"_id": 1}).sort("lapses", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def unknown(self, limit: int) -> Sequence[str]:
        return [row["_id"] async for row in self._contacts.find(UNKNOWN, {"_id": 1}).limit(limit)]
