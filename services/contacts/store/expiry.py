"""Grants with an end in MongoDB: each contact keeps when the first of its own runs out, in an index of those that have any."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import ASCENDING

from shared.leases import Lease, MongoLease
from shared.mongo import Database


class GrantStore:
    """Finds customers whose grants run out."""

    def __init__(self, database: Database) -> None:
        self._contacts = database["contacts"]
        self.lease: Lease = MongoLease(database, "consents-lease")

    async def prepare(self) -> None:
        # Nearly nobody grants anything for a time, so a sparse index costs the others nothing.
        await self._contacts.create_index([("lapses", ASCENDING)], sparse=True)

    async def ending(self, now: datetime, limit: int) -> Sequence[str]:
        found = self._contacts.find({"lapses": {"$lte": now}}, {"_id": 1}).sort("lapses", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]
