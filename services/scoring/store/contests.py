"""Contests in MongoDB: a document for each span, with what each model has said of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.rivals import Tables
from shared.mongo import Database

ID = "contest"
SAID = "said_in_season"
"""Under another name, `said`, is what was said before there were seasons: those spans are scored again."""


class MongoContests:
    def __init__(self, database: Database) -> None:
        self._spans = database["contests"]
        self._notes = database["notes"]

    async def tables(self, spans: Sequence[int]) -> Tables:
        found = self._spans.find({"_id": {"$in": list(spans)}, SAID: {"$exists": True}})
        return {
            document["_id"]: {name: Calibration.unpack(packed) for name, packed in document[SAID].items()}
            async for document in found
        }

    async def add(self, span: int, said: Mapping[str, Calibration]) -> None:
        """Beside what others have said of it."""
        fields = {f"{SAID}.{name}": table.pack() for name, table in said.items()}
        await self._spans.update_one({"_id": span}, {"$set": fields}, upsert=True)

    async def forget(self) -> None:
        await self._spans.delete_many({})

    async def contested(self) -> tuple[datetime, int] | None:
        found = await self._notes.find_one({"_id": ID})
        return (found["at"], found["customers"]) if found else None

    async def note_contest(self, at: datetime, customers: int) -> None:
        await self._notes.replace_one({"_id": ID}, {"at": at, "customers": customers}, upsert=True)
