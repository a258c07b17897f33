"""The last look for customers' own pace, in MongoDB."""

from dataclasses import asdict

from services.scoring.domain.pacing import Found
from services.scoring.domain.tempo import Tempo
from services.scoring.handlers import PaceLook
from shared.mongo import Database

ID = "pace"


class MongoPaceLooks:
    def __init__(self, database: Database) -> None:
        self._notes = database["notes"]

    async def pace_look(self) -> PaceLook | None:
        document = await self._notes.find_one({"_id": ID}, {"_id": 0})
        if document is None:
            return None
        found = Found(**{**document["found"], "tempo": Tempo(**document["found"]["tempo"])})
        return PaceLook(document["at"], found, document["version"], tuple(document["held"]))

    async def note_pace_look(self, look: PaceLook) -> None:
        found = {**look.found._asdict(), "tempo": asdict(look.found.tempo)}
        await self._notes.replace_one({"_id": ID}, {**look._asdict(), "found": found}, upsert=True)
