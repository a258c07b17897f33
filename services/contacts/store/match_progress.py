"""How far matching has followed the contacts, in MongoDB, and the stream of what changes."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from services.contacts.handlers.following import HistoryLost, News, Progress
from services.contacts.store.matching import MatchStore
from shared import mongo
from shared.leases import Lease, MongoLease
from shared.messaging.relay import HISTORY_LOST
from shared.mongo import Database, Document

PROGRESS = "progress"
AHEAD = 500
"""Changes that are read before they are taken."""
IDLE_SECONDS = 60.0
"""So often the place in the stream is noted if nothing comes: the database forgets old places."""
IDS = re.compile(r"[|~]")
"""What separates the two customers in the ids of conflicts and pairs."""
WRITES = ["insert", "update", "replace", "delete"]


class MatchProgress:
    """The token of the stream, the pass under way, and what both follow."""

    def __init__(self, database: Database, store: MatchStore) -> None:
        self.database = database
        self.store = store
        self.lease: Lease = MongoLease(database, "matching-lease")

    async def progress(self) -> Progress:
        row = await self.store.notes.find_one({"_id": PROGRESS})
        return Progress(row["token"], row["after"], row["mark"]) if row else Progress()

    async def save_progress(self, progress: Progress) -> None:
        await self.store.notes.replace_one({"_id": PROGRESS}, dict(vars(progress)), upsert=True)

    async def mark(self) -> str:
        return await self.store.mark()

    async def following(self, after: str, limit: int) -> list[str]:
        found = self.store.contacts.find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    @asynccontextmanager
    async def changes(self, token: Any) -> AsyncIterator["MongoStream"]:
        """Of contacts, of conflicts that channels reported, and of pairs that somebody rejected."""
        rejected = {"ns.coll": self.store.pairs.name, "updateDescription.updatedFields.state": "rejected"}
        said = {"ns.coll": {"$in": [self.store.contacts.name, self.store.conflicts.name]}}
        pipeline: list[Document] = [
            {"$match": {"operationType": {"$in": WRITES}, "$or": [said, rejected]}},
            {"$project": {"documentKey": 1, "ns": 1}},
        ]
        where = {"resume_after": token} if token else {}
        try:
            stream = await mongo.watch(self.database, pipeline, max_await_time_ms=1000, **where)
        except OperationFailure as error:
            raise _told(error) from error
        async with stream:
            ours = MongoStream(stream, token or stream.resume_token, self.store.contacts.name)
            try:
                yield ours
            finally:
                await ours.stop()


class MongoStream:
    """A change stream, read ahead by a task of its own, so that looking whether there is something takes no time."""

    def __init__(self, stream: Any, start: Any, contacts: str) -> None:
        self.start = start
        self._stream = stream
        self._contacts = contacts
        self._read: asyncio.Queue[Document | Exception] = asyncio.Queue(AHEAD)
        self._reading = asyncio.create_task(self._read_on(), name="matching-stream")

    async def next(self, most: int, seconds: float) -> News:
        changes: list[Document | Exception] = []
        if self._read.empty() and seconds:
            # Not with `wait_for`: see shared.waiting.
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    changes.append(await self._read.get())
        while len(changes) < most and not self._read.empty():
            changes.append(self._read.get_nowait())
        return self._news(changes)

    def _news(self, changes: list[Document | Exception]) -> News:
        customers: dict[str, None] = {}
        touched: dict[str, None] = {}
        token = None
        for change in changes:
            if isinstance(change, Exception):
                raise change
            token = change["_id"]
            if "documentKey" not in change:
                continue
            ids = IDS.split(change["documentKey"]["_id"])
            (customers if change["ns"]["coll"] == self._contacts else touched).update(dict.fromkeys(ids))
        return News(list(customers), list(touched), token)

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        heard = loop.time()
        try:
            while self._stream.alive:
                change = await self._stream.try_next()
                if change is None and loop.time() < heard + IDLE_SECONDS:
                    continue
                # Where nothing changes, the token grows old all the same.
                await self._read.put(change or {"_id": self._stream.resume_token})
                heard = loop.time()
            await self._read.put(HistoryLost())
        except OperationFailure as error:
            await self._read.put(_told(error))
        except Exception as error:  # noqa: BLE001 - whoever asks next hears of it
            await self._read.put(error)

    async def stop(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def _told(error: OperationFailure) -> Exception:
    return HistoryLost() if error.code in HISTORY_LOST else error
