"""Runs of looks in MongoDB, the last of each, and their leases."""

from services.scoring.handlers import Run
from shared.leases import MongoLease
from shared.mongo import Database


class MongoRuns:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._runs = database["runs"]

    def lease(self, look: str) -> MongoLease:
        return MongoLease(self._database, f"{look}-lease")

    async def begin(self, run: Run) -> None:
        await self._runs.replace_one({"_id": run.look}, run._asdict(), upsert=True)

    async def end(self, run: Run) -> None:
        """Nothing, if another run has begun since."""
        await self._runs.replace_one({"_id": run.look, "id": run.id}, run._asdict())

    async def last(self, look: str) -> Run | None:
        found = await self._runs.find_one({"_id": look}, {"_id": 0})
        return Run(**found) if found else None
