"""The base as counts in MongoDB: one document, and beside it the changes that are still to be added.

Each batch only inserts its changes, so that batches, instances and refits never wait for each other's documents; the
next refit adds them up and deletes them, in one transaction.
"""

import asyncio

import numpy as np
from bson import ObjectId

from services.scoring.domain.population import Changes, Population
from shared.mongo import Database, Document, Session, ensure_collections

GATHER_BATCHES = 500
"""Batches of changes added up in one transaction: half a million rows at most, a tenth of a second."""
ID = "base"
PARTS = (("traits", "<i4", 6), ("places", "<i4", 4), ("earned", "<i8", 2))
"""How changes are kept: name, type of number, columns."""


class MongoPopulation:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._moves = database["moves"]
        self._counts = database["population"]

    async def prepare(self) -> None:
        """Batches must not race to create the collection."""
        await ensure_collections(self._database, ["moves"])

    async def add(self, some: Changes, session: Session) -> None:
        if len(some.traits):
            await self._moves.insert_one({"_id": ObjectId(), **packed(some)}, session=session)

    async def gather(self, session: Session) -> tuple[Population, bool]:
        """Add changes to the counts; whether there may be more of them."""
        document = await self._counts.find_one({"_id": ID}, session=session)
        population = Population.unpack(document) if document else Population()
        found = await self._moves.find({}, session=session).limit(GATHER_BATCHES).to_list(GATHER_BATCHES)
        if not found:
            return population, False
        population = await asyncio.to_thread(population.plus, [_changes(document) for document in found])
        await self._counts.replace_one({"_id": ID}, population.pack(), upsert=True, session=session)
        await self._moves.delete_many({"_id": {"$in": [document["_id"] for document in found]}}, session=session)
        return population, len(found) == GATHER_BATCHES


def packed(some: Changes) -> Document:
    return {name: np.asarray(part, kind).tobytes() for (name, kind, _), part in zip(PARTS, some, strict=True)}


def _changes(document: Document) -> Changes:
    return Changes(*(np.frombuffer(document[name], kind).reshape(-1, width) for name, kind, width in PARTS))
