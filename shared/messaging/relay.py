"""The outbox on its way to Kafka: published in commit order, by one relay at a time, removed when the broker has it.

The change stream gives the documents in commit order. A round is: publish, and await the acknowledgements. Rounds are
settled together, once a second: delete their documents, then save the resume token, so that small rounds do not
pay for two writes each. A crash in between publishes again what was not yet settled, under the same `ce_sequence`,
which consumers drop.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import structlog
from bson import Timestamp
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from shared import metrics, mongo
from shared.logging import whereabouts
from shared.messaging import outbox
from shared.messaging.backoff import Backoff
from shared.messaging.outbox import Outgoing
from shared.messaging.producer import Producer
from shared.messaging.transient import transient
from shared.mongo import Client, Database, Document
from shared.waiting import happens

log = structlog.get_logger()
COLLECTION = "relay"
NAME = "outbox"
LEASE_MS = 6_000
SAVE_SECONDS = 2.0
SETTLE_SECONDS = 1.0
MARGIN_SECONDS = 1.0
"""So long before the lease ends by our own clock nothing more is published without asking."""
ROUND_EVENTS = 4_000
SNAPSHOT_DOCUMENTS = 1_000
HISTORY_LOST = (9, 136, 260, 280, 286, 40647)
"""The oplog does not reach back to where we stopped (CappedPositionLost, ChangeStreamFatalError,
ChangeStreamHistoryLost), or our token is none that this server knows, as after a restored backup (FailedToParse,
InvalidResumeToken, 40647).
"""


class LeaseLost(Exception):
    """Another instance relays now."""


class Relay:
    """Follows one service's outbox."""

    def __init__(self, service: str, instance: str, client: Client, database: Database, producer: Producer) -> None:
        self._service = service
        self._instance = instance
        self._client = client
        self._outbox = database[outbox.COLLECTION]
        self._state = database[COLLECTION]
        self._database = database
        self._producer = producer
        self._stopping = asyncio.Event()
        self._valid_until = 0.0
        self._unsettled: list[Any] = []
        self._token: Any = None

    async def pin(self) -> None:
        """Fix where the first relay ever begins. Must come before this instance writes anything."""
        hello: Document = await self._database.command("hello")
        with suppress(DuplicateKeyError):
            await self._state.insert_one(
                {"_id": NAME, "start": hello["operationTime"], "until": datetime.fromtimestamp(0, UTC)}
            )

    async def run(self) -> None:
        """Until stopped; whatever fails is tried again."""
        backoff = Backoff(most=5.0)
        while not self._stopping.is_set():
            try:
                if (state := await self._acquire()) is None:
                    await self._pause(LEASE_MS / 3000)
                    continue
                log.info("relay_leads", service=self._service)
                await self._follow(state, backoff)
            except LeaseLost:
                log.warning("relay_lost_its_lease", service=self._service)
            except Exception as error:  # noqa: BLE001 - a relay that ends is a platform that ends
                wait = backoff.next()
                level = log.warning if transient(error) else log.error
                level(
                    "relay_failed",
                    service=self._service,
                    error=type(error).__name__,
                    at=whereabouts(error),
                    retry_in=round(wait, 2),
                )
                await self._pause(wait)
        with suppress(Exception):
            await self._state.update_one(
                {"_id": NAME, "holder": self._instance}, {"$set": {"until": datetime.fromtimestamp(0, UTC)}}
            )

    def stop(self) -> None:
        self._stopping.set()

    async def _acquire(self) -> Document | None:
        """The relay's state, if this instance may relay now. Times are the server's."""
        free = {"$or": [{"holder": self._instance}, {"$expr": mongo.lapsed("$until", LEASE_MS)}]}
        asked = time.monotonic()
        state: Document | None = await self._state.find_one_and_update(
            {"_id": NAME, **free},
            [{"$set": {"holder": self._instance, "until": {"$add": ["$$NOW", LEASE_MS]}}}],
            return_document=ReturnDocument.AFTER,
        )
        self._valid_until = asked + LEASE_MS / 1000
        return state

    async def _save(self, **progress: Any) -> None:
        """Prolong the lease, and note how far we are, if we still hold it."""
        fields: Document = {"until": {"$add": ["$$NOW", LEASE_MS]}}
        fields |= {name: {"$literal": value} for name, value in progress.items()}
        asked = time.monotonic()
        result = await self._state.update_one({"_id": NAME, "holder": self._instance}, [{"$set": fields}])
        if result.matched_count == 0:
            raise LeaseLost
        self._valid_until = asked + LEASE_MS / 1000

    async def _follow(self, state: Document, backoff: Backoff) -> None:
        where = {"resume_after": state["token"]} if "token" in state else {"start_at_operation_time": state["start"]}
        pipeline: list[Document] = [
            {"$match": {"operationType": "insert"}},
            {"$project": {"fullDocument": 1, "clusterTime": 1}},
        ]
        try:
            stream = await mongo.watch(self._outbox, pipeline, max_await_time_ms=1000, **where)
        except OperationFailure as error:
            if error.code not in HISTORY_LOST:
                raise
            await self._begin_anew(state.get("anew"))
            return
        self._unsettled = []
        self._token = None
        async with stream:
            try:
                await self._rounds(stream, backoff)
            finally:
                if self._unsettled:
                    with suppress(PyMongoError, LeaseLost):
                        await self._settle()

    async def _rounds(self, stream: Any, backoff: Backoff) -> None:
        settled = measured = 0.0
        while not self._stopping.is_set():
            documents, events = await self._next_round(stream)
            now = time.monotonic()
            if events:
                if now > self._valid_until - MARGIN_SECONDS:
                    await self._save()
                await self._producer.publish(events)
            self._unsettled += documents
            self._token = stream.resume_token  # only now that all up to it is published
            if now - settled > (SETTLE_SECONDS if self._unsettled else SAVE_SECONDS):
                await self._settle()
                settled = now
            if now - measured > SAVE_SECONDS:
                await self._measure()
                measured = now
            backoff.reset()

    async def _settle(self) -> None:
        """What the broker has leaves the outbox; then, and not before, the place in the stream moves on."""
        documents, self._unsettled = self._unsettled, []
        if documents:
            await self._outbox.delete_many({"_id": {"$in": documents}})
        await self._save(**({"token": self._token} if self._token else {}))

    async def _next_round(self, stream: Any) -> tuple[list[Any], list[Outgoing]]:
        """What is there now, up to a round's size; empty if nothing came for a second."""
        documents: list[Any] = []
        events: list[Outgoing] = []
        change = await self._first(stream)
        while change is not None:
            document, moment = change["fullDocument"], change["clusterTime"]
            documents.append(document["_id"])
            events += outbox.sequenced(document, moment.time, moment.inc)
            if len(events) >= ROUND_EVENTS or not _more_at_hand(stream):
                break
            change = await stream.try_next()
        return documents, events

    async def _first(self, stream: Any) -> Any:
        """The next change; None if none came for a second, or at once when the service stops: nobody waits for an idle stream."""
        asked, stopping = asyncio.ensure_future(stream.try_next()), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((asked, stopping), return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        finally:
            for one in (asked, stopping):
                one.cancel()
            await asyncio.gather(asked, stopping, return_exceptions=True)

    async def _begin_anew(self, begun: Document | None) -> None:
        """The oplog has forgotten our place.

        What is still in the outbox has not been published (but for the rounds not settled, a second's at most): publish
        it in the order of its commits' time, under sequences newer than any before, and go on from there. Of each piece
        is put down under which, so that whoever goes on behind us, as the `begun` one, gives the same.
        """
        log.error("relay_lost_its_history", service=self._service)
        if begun:
            await self._publish_anew(await self._outbox.find({"_id": {"$in": begun["ids"]}}).to_list(None), begun)
        while True:
            rest, moment = await self._snapshot()
            if not rest:
                break
            piece = {"at": moment, "ids": [document["_id"] for document in rest]}
            await self._save(anew=piece)  # also a write, so that the next snapshot is of a later moment
            await self._publish_anew(rest, piece)
        after = Timestamp(moment.time, moment.inc + 1)
        await self._state.update_one(
            {"_id": NAME, "holder": self._instance}, {"$set": {"start": after}, "$unset": {"token": "", "anew": ""}}
        )

    async def _publish_anew(self, documents: list[Document], piece: Document) -> None:
        numbers = {one: number for number, one in enumerate(piece["ids"])}
        for document in sorted(documents, key=lambda one: numbers[one["_id"]]):
            document["part"] = numbers[document["_id"]]
            await self._producer.publish(outbox.sequenced(document, piece["at"].time, piece["at"].inc))
        await self._outbox.delete_many({"_id": {"$in": piece["ids"]}})

    async def _snapshot(self) -> tuple[list[Document], Timestamp]:
        """The first documents of the outbox, and the moment as of which they are the first."""
        answer: Document = await self._database.command(
            {
                "find": self._outbox.name,
                "sort": dict(outbox.IN_TIME),
                "limit": SNAPSHOT_DOCUMENTS,
                "singleBatch": True,
                "readConcern": {"level": "snapshot"},
            }
        )
        return answer["cursor"]["firstBatch"], answer["cursor"]["atClusterTime"]

    async def _measure(self) -> None:
        oldest = await self._outbox.find_one({}, {"at": 1}, sort=[("_id", 1)])
        age = (datetime.now(UTC) - oldest["at"]).total_seconds() if oldest else 0.0
        metrics.OUTBOX_AGE.labels(self._service).set(max(0.0, age))

    async def _pause(self, seconds: float) -> None:
        await happens(self._stopping, within=seconds)


def _more_at_hand(stream: Any) -> bool:
    """Whether the next change is already here, so that asking for it does not wait for the server."""
    cursor = getattr(stream, "_cursor", None) or getattr(getattr(stream, "delegate", None), "_cursor", None)
    return bool(cursor is not None and cursor._data)  # noqa: SLF001 - no public call tells
