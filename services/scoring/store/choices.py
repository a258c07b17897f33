"""Choices in MongoDB: the last look for the family of models to use, and the champion."""

from dataclasses import asdict

from services.scoring.domain.overview import Inputs
from services.scoring.domain.purchasing import Family
from services.scoring.domain.seasonality import Evidence, Found
from services.scoring.domain.yearly import Season
from services.scoring.handlers import Champion, Choice
from services.scoring.handlers.choosing import NOT_LOOKED
from shared.mongo import Database, Document

ID = "choice"


class MongoChoices:
    def __init__(self, database: Database) -> None:
        self._notes = database["notes"]

    async def choice(self) -> Choice | None:
        found = await self._notes.find_one({"_id": ID}, {"_id": 0})
        return _choice(found) if found else None

    async def note_choice(self, choice: Choice) -> None:
        await self._notes.replace_one({"_id": ID}, _document(choice), upsert=True)


def _document(choice: Choice) -> Document:
    champion, nominated = choice.champion, choice.nominated
    return {
        **choice._asdict(),
        "nominated": asdict(nominated) if nominated else None,
        "inputs": choice.inputs.pack(),
        "season": _season_document(choice.season),
        "champion": champion
        and {**champion._asdict(), "family": asdict(champion.family), "inputs": champion.inputs.pack()},
    }


def _choice(found: Document) -> Choice:
    champion, nominated = found["champion"], found["nominated"]
    return Choice(
        **{
            **found,
            "nominated": Family(**nominated) if nominated else None,
            "candidates": tuple((name, nats, gain, doubt) for name, nats, gain, doubt in found["candidates"]),
            "doubts": tuple(found["doubts"]),
            "inputs": Inputs.unpack(found["inputs"]),
            "season": _season(found["season"]) if "season" in found else NOT_LOOKED,
            "champion": _champion(champion) if champion else None,
        }
    )


def _season_document(found: Found) -> Document:
    proof = found.evidence._asdict() if found.evidence else None
    return {"levels": found.season.levels, "why": found.why, "evidence": proof}


def _season(document: Document) -> Found:
    proof = document["evidence"]
    return Found(Season(tuple(document["levels"])), document["why"], Evidence(**proof) if proof else None)


def _champion(found: Document) -> Champion:
    family, inputs = Family(**found["family"]), Inputs.unpack(found["inputs"])
    return Champion(**{**found, "family": family, "inputs": inputs})
