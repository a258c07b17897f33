"""The base's histogram in MongoDB: one document, and beside it the changes that are still to be added.

Each batch only inserts its changes, so that batches, instances and refits never wait for each other's documents; the
next refit adds them up and deletes them, in one transaction.
"""

import asyncio

import numpy as np
from bson import ObjectId

from services.scoring.domain.histogram import Histogram, Rows
from shared.mongo import Database, Document, Session, ensure_collections

GATHER_BATCHES = 500
"""Batches of changes added up in one transaction: half a million rows at most, a tenth of a second."""
ID = "base"


class MongoPopulation:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._moves = database["moves"]
        self._histograms = database["histogram"]

    async def prepare(self) -> None:
        """Batches must not race to create the collection."""
        await ensure_collections(self._database, ["moves"])

    async def add(self, rows: Rows, session: Session) -> None:
        if len(rows):
            await self._moves.insert_one({"_id": ObjectId(), "rows": rows.astype("<i4").tobytes()}, session=session)

    async def gather(self, session: Session) -> tuple[Histogram, bool]:
        """Add changes to the histogram; whether there may be more of them."""
        histogram = _unpack(await self._histograms.find_one({"_id": ID}, session=session))
        found = await self._moves.find({}, session=session).limit(GATHER_BATCHES).to_list(GATHER_BATCHES)
        if not found:
            return histogram, False
        rows = np.frombuffer(b"".join(document["rows"] for document in found), "<i4").astype(np.int32).reshape(-1, 6)
        histogram = await asyncio.to_thread(histogram.plus, rows)
        await self._histograms.replace_one({"_id": ID}, {"cells": histogram.pack()}, upsert=True, session=session)
        await self._moves.delete_many({"_id": {"$in": [document["_id"] for document in found]}}, session=session)
        return histogram, len(found) == GATHER_BATCHES


def _unpack(document: Document | None) -> Histogram:
    return Histogram.unpack(document["cells"]) if document else Histogram()
