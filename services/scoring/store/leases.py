"""Who does what only one instance does at a time: leases by the database's clock."""

from datetime import timedelta

from pymongo import ReturnDocument

from shared import mongo
from shared.mongo import Database


class MongoLease:
    """One lease, by its name."""

    def __init__(self, database: Database, name: str) -> None:
        self._notes = database["notes"]
        self._id = name

    async def claim(self, holder: str, seconds: float) -> bool:
        """Become, or stay, the holder."""
        length = timedelta(seconds=seconds) // timedelta(milliseconds=1)
        free = {"$or": [{"$eq": ["$holder", {"$literal": holder}]}, mongo.lapsed("$until", length)]}
        until = {"$add": ["$$NOW", length]}
        lease = {
            "holder": {"$cond": [free, {"$literal": holder}, "$holder"]},
            "until": {"$cond": [free, until, "$until"]},
        }
        after = await self._notes.find_one_and_update(
            {"_id": self._id}, [{"$set": lease}], upsert=True, return_document=ReturnDocument.AFTER
        )
        return after is not None and after["holder"] == holder

    async def holder(self) -> str | None:
        """None as soon as the lease has run out."""
        found = await self._notes.find_one({"_id": self._id, "$expr": {"$gte": ["$until", "$$NOW"]}})
        return str(found["holder"]) if found else None

    async def release(self, holder: str) -> None:
        await self._notes.delete_one({"_id": self._id, "holder": holder})
