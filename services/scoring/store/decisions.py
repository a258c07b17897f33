"""Actions and decisions in MongoDB: the catalogue, a document for each customer and month, and what came of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import DuplicateKeyError

from services.scoring.domain.purchases import day_of
from services.scoring.domain.retention.catalogue import Action, Catalogue, Prior
from services.scoring.domain.retention.decision import Decision, Option
from services.scoring.domain.retention.evidence import Counts, Evidence
from services.scoring.domain.retention.own import Lesson
from services.scoring.domain.retention.persuasion import Belief
from services.scoring.handlers import Decided, Drawn, Due, evidence_of
from services.scoring.store.restrictions import MongoRestrictions
from shared import mongo
from shared.mongo import Database, Document

ACTIONS = "actions"
OPEN = {"open": True}
LESSON = "lesson"
"""The id once more, of decisions drawn at random: one in ten, which are then found without the others."""
LESSONS = {"stayed": {"$exists": True}, "decision.group": "exploration"}
"""What profit decided teaches nothing (`domain/retention/learning.py`)."""
DECODED = 200
"""Documents that the driver decodes at once: some milliseconds, for which the event loop waits."""
TAUGHT = dict.fromkeys(("at", "stayed", "decision", "drawn"), 1)
"""What of a decision teaches."""
ALIKE = {
    "action": "$decision.action",
    "stratum": "$decision.stratum",
    "options": "$decision.options.action",
    "stayed": "$stayed",
}
"""Decisions that teach the same."""


class MongoActions:
    def __init__(self, database: Database) -> None:
        self._notes = database["notes"]

    async def catalogue(self) -> Catalogue:
        """Without any action, nothing is all that can be done."""
        found = await self._notes.find_one({"_id": ACTIONS})
        if found is None:
            return Catalogue(())
        return Catalogue(tuple(Action(**action) for action in found["actions"]), Prior(**found["prior"]))

    async def set(self, catalogue: Catalogue) -> None:
        said = {"actions": [asdict(action) for action in catalogue], "prior": asdict(catalogue.prior)}
        await self._notes.replace_one({"_id": ACTIONS}, said, upsert=True)


class MongoDecisions:
    """From decisions about customers who are restricted nothing is learnt; those that are open wait until it is lifted."""

    def __init__(self, database: Database) -> None:
        self._decisions = database["decisions"]
        self._restrictions = MongoRestrictions(database)

    async def prepare(self) -> None:
        await self._decisions.create_index([("at", ASCENDING)], partialFilterExpression=OPEN)
        await self._decisions.create_index([(LESSON, ASCENDING)], sparse=True)

    async def record(self, decided: Decided) -> Decided:
        id_ = _id(decided.decision.customer_id, decided.occasion)
        document = {
            "_id": id_,
            "at": decided.at,
            "occasion": decided.occasion,
            "open": True,
            "words": list(decided.words),
            "decision": asdict(decided.decision),
            "uplift_version": decided.uplift_version,
        }
        if decided.drawn:
            document |= {"drawn": decided.drawn._asdict(), LESSON: id_}
        try:
            await self._decisions.insert_one(document)
        except DuplicateKeyError:
            known = await self._decisions.find_one({"_id": id_})
            assert known is not None, "decisions are never deleted"
            return _decided(known)
        return decided._replace(recorded=True)

    async def recorded(self, customer_id: str, occasion: str) -> Decided | None:
        found = await self._decisions.find_one({"_id": _id(customer_id, occasion)})
        return _decided(found) if found else None

    async def due(self, until: datetime, limit: int) -> list[Due]:
        wanted = {"at": {"$lte": until}, **OPEN, **await self._usable()}
        found = self._decisions.find(wanted).sort("at", ASCENDING).limit(limit)
        return [Due(d["_id"], d["decision"]["customer_id"], _decision(d["decision"]), d["at"]) async for d in found]

    async def settle(self, outcomes: Mapping[str, bool]) -> None:
        # Looked up once more: of who was restricted since, the outcome may have been read as nothing.
        usable = await self._usable()
        writes = [
            UpdateOne({"_id": id_, **usable}, {"$set": {"stayed": stayed}, "$unset": {"open": ""}})
            for id_, stayed in outcomes.items()
        ]
        await self._decisions.bulk_write(writes, ordered=False)

    async def lessons(self, after: str | None, limit: int) -> list[tuple[str, Lesson]]:
        settled = {LESSON: {"$gt": after or ""}, "stayed": {"$exists": True}, **await self._usable()}
        cursor = self._decisions.find(settled, TAUGHT).sort(LESSON, ASCENDING).limit(limit).batch_size(DECODED)
        found = await cursor.to_list(limit)
        # In a thread: each has some dozens of features.
        return await asyncio.to_thread(lambda: [(document["_id"], _lesson(document)) for document in found])

    async def settled(self) -> Evidence:
        """Counted in the database: there are as many decisions as customers and months, and few kinds of them."""
        group = {"_id": ALIKE, "decision": {"$first": "$decision"}, "times": {"$sum": 1}}
        found = await mongo.aggregate(self._decisions, [{"$match": LESSONS | await self._usable()}, {"$group": group}])
        return evidence_of([(_decision(d["decision"]), d["_id"]["stayed"], d["times"]) for d in found])

    async def _usable(self) -> Document:
        """Of customers who are not restricted. Contacts restricts all who are one, so that it does not matter for whom of them it was."""
        restricted = await self._restrictions.everybody()
        return {"decision.customer_id": {"$nin": restricted}} if restricted else {}


def _id(customer_id: str, occasion: str) -> str:
    return f"{customer_id}:{occasion}"


def _decided(document: Document) -> Decided:
    # Decisions of before features were kept have none.
    drawn = Drawn(**document["drawn"]) if "drawn" in document else None
    said = (_decision(document["decision"]), document["words"], document["occasion"], document["at"])
    return Decided(*said, True, drawn, document.get("uplift_version"))


def _lesson(document: Document) -> Lesson:
    decision, drawn = _decision(document["decision"]), Drawn(**document["drawn"])
    opened = [option.action for option in decision.options]
    return Lesson(
        *(decision.customer_id, day_of(document["at"]), decision.action, opened, decision.stratum, document["stayed"]),
        *(drawn.control, drawn.exploration, drawn.features),
    )


def _decision(fields: Mapping[str, Any]) -> Decision:
    return Decision(**{**fields, "options": tuple(_option(option) for option in fields["options"])})


def _option(fields: Mapping[str, Any]) -> Option:
    belief = fields["belief"]
    return Option(**{**fields, "belief": Belief(**{**belief, "counts": Counts(*belief["counts"])})})
