"""A hop of the bare line: what has come since the last batch, one majority transaction, and what it tells to the next topic.

Each batch moves a guarded position for each of its partitions, writes a state for each of its customers, and leaves what
is to be told in an outbox, all in one transaction; what was told leaves the outbox as often as in the core.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from bson import ObjectId
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.messaging.relay import SETTLE_SECONDS
from tests.bench.bareline.wire import PARTITIONS, Message, Record

Document: TypeAlias = dict[str, Any]
Mongo: TypeAlias = AsyncMongoClient[Document]
MOST_RECORDS = 1_000
PATIENCE_MS = 1_000
POSITIONS, OUTBOX, PLACE = "positions", "outbox", "place"


class OutOfStep(Exception):
    """A document is not where the line has left it."""


class Change:
    """The commands of a transaction, as few as there can be: `bulk_write` goes over each write several times."""

    def __init__(self, mongo: Mongo, database: str, session: AsyncClientSession) -> None:
        self._database, self._session = mongo[database], session

    async def read(self, collection: str, ids: Collection[Any], fields: Document) -> dict[Any, Document]:
        found = self._database[collection].find({"_id": {"$in": list(ids)}}, fields, session=self._session)
        return {document["_id"]: document for document in await found.to_list(None)}

    async def insert(self, collection: str, documents: Sequence[Document]) -> None:
        if documents:
            command = {"insert": collection, "documents": documents, "ordered": False}
            self._judge(await self._database.command(command, session=self._session), len(documents))

    async def update(self, collection: str, updates: Sequence[Document]) -> None:
        """Each has to find or to make its document."""
        if updates:
            command = {"update": collection, "updates": updates, "ordered": False}
            self._judge(await self._database.command(command, session=self._session), len(updates))

    @staticmethod
    def _judge(answer: Document, wanted: int) -> None:
        if answer["n"] != wanted or answer.get("writeErrors"):
            raise OutOfStep(str(answer)[:500])


class Service(ABC):
    """What a hop writes and tells for a batch."""

    name: str
    """Of its process and of its database."""
    topics: tuple[str, ...]
    collections: tuple[str, ...]
    unhurried_ms = 0
    """So long it gathers however the line is built, because no channel waits for it; 0: one does."""

    @abstractmethod
    async def effect(self, records: Sequence[Record], change: Change) -> list[Message]:
        """In the batch's transaction."""

    def committed(self) -> None:  # noqa: B027 - most have nothing to do then
        """The batch is there to stay."""


@dataclass(frozen=True)
class Manner:
    """How a line is built."""

    gather_ms: int = 0
    """So long the broker gathers for a batch; 0: a batch is whatever has come while the last one was under way."""
    patient: bool = False
    """As the platform gathers: so long at least, longer where batches take long (`shared.messaging.patient`)."""
    direct: bool = False
    """What is told is published by whoever has committed it; else by the database's word, its change stream."""
    deciding_us: float = 0.0
    """CPU microseconds that every service spends on each of its records, as if it decoded and decided."""


class Hop:
    """Runs a service's hop."""

    def __init__(
        self, service: Service, mongo: Mongo, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, manner: Manner
    ) -> None:
        self.service, self._manner = service, manner
        self.batches = self.records = 0
        self._mongo, self._database = mongo, mongo[service.name]
        self._consumer, self._producer = consumer, producer
        self._next: dict[TopicPartition, int] = {}
        self._committed: asyncio.Queue[tuple[ObjectId, list[Message]]] = asyncio.Queue()
        self._published: list[ObjectId] = []
        self._token: Any = None

    async def prepare(self) -> None:
        """Collections must be there before two transactions could race to create them."""
        places = [TopicPartition(topic, number) for topic in self.service.topics for number in range(PARTITIONS)]
        self._next = dict.fromkeys(places, 0)
        await self._database[POSITIONS].insert_many([{"_id": position(place), "next": 0} for place in places])
        await self._database[PLACE].insert_one({"_id": OUTBOX, "token": None})
        for name in (OUTBOX, *self.service.collections):
            await self._database.create_collection(name)
        self._consumer.assign(places)
        await self._consumer.seek_to_beginning()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._consume())
            group.create_task(self._relay_directly() if self._manner.direct else self._relay())
            group.create_task(self._settle())

    async def _consume(self) -> None:
        while True:
            found = await self._consumer.getmany(timeout_ms=PATIENCE_MS, max_records=MOST_RECORDS)
            if found:
                await self._batch(found)

    async def _batch(self, found: dict[TopicPartition, list[Record]]) -> None:
        records = list(chain.from_iterable(found.values()))
        spend(len(records) * self._manner.deciding_us / 1e6)
        ends = {place: some[-1].offset + 1 for place, some in found.items()}
        moved = [moving(place, self._next[place], end) for place, end in ends.items()]
        name = ObjectId()
        async with self._mongo.start_session() as session, await session.start_transaction():
            change = Change(self._mongo, self.service.name, session)
            await change.update(POSITIONS, moved)
            messages = await self.service.effect(records, change)
            if messages:
                await change.insert(OUTBOX, [{"_id": name, "messages": messages}])
        self._next |= ends
        self.batches += 1
        self.records += len(records)
        self.service.committed()
        if messages and self._manner.direct:
            self._committed.put_nowait((name, messages))

    async def _relay_directly(self) -> None:
        while True:
            several = [await self._committed.get()]
            while not self._committed.empty():
                several.append(self._committed.get_nowait())
            await publish(self._producer, chain.from_iterable(messages for _, messages in several))
            self._published += [name for name, _ in several]

    async def _relay(self) -> None:
        pipeline: list[Document] = [{"$match": {"operationType": "insert"}}, {"$project": {"fullDocument": 1}}]
        async with await self._database[OUTBOX].watch(pipeline, max_await_time_ms=PATIENCE_MS) as stream:
            while True:
                several = [(await stream.next())["fullDocument"]]
                while stream._cursor._data:  # what has come with it
                    several.append((await stream.next())["fullDocument"])
                await publish(self._producer, (Message(*one) for told in several for one in told["messages"]))
                self._published += [told["_id"] for told in several]
                self._token = stream.resume_token

    async def _settle(self) -> None:
        """What the broker has leaves the outbox; then the place in the stream moves on."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            if self._published:
                done, self._published = self._published, []
                await self._database[OUTBOX].delete_many({"_id": {"$in": done}})
                if not self._manner.direct:
                    await self._database[PLACE].update_one({"_id": OUTBOX}, {"$set": {"token": self._token}})


def spend(seconds: float) -> None:
    """CPU, and not the time in which others have it."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def position(place: TopicPartition) -> str:
    return f"{place.topic}:{place.partition}"


def moving(place: TopicPartition, begin: int, end: int) -> Document:
    """Only from where it is believed to be."""
    return {"q": {"_id": position(place), "next": begin}, "u": {"$set": {"next": end}}}


async def publish(producer: AIOKafkaProducer, messages: Iterable[Message]) -> None:
    """Each partition's as one batch, as long as they fit, until the broker has all."""
    batches: dict[tuple[str, int], Any] = {}
    sent = []
    for topic, partition, key, value in messages:
        place = (topic, partition)
        batch = batches.get(place)
        if batch is not None and batch.append(timestamp=None, key=key, value=value) is not None:
            continue
        if batch is not None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        batch = batches[place] = producer.create_batch()
        batch.append(timestamp=None, key=key, value=value)
    sent += [
        await producer.send_batch(batch, topic, partition=partition) for (topic, partition), batch in batches.items()
    ]
    await asyncio.gather(*sent)
