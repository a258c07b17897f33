"""What a load has left behind: every write, from MongoDB's oplog; every record, from Kafka; and who read it."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import bson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient, DeleteOne, InsertOne, UpdateOne

from tests.bench.trial.arena import Arena
from tests.bench.trial.load import Load

OURS = "rapport_"
Write = InsertOne[dict[str, Any]] | UpdateOne | DeleteOne


@dataclass
class Traces:
    """What a load has left behind."""

    events: int
    writes: dict[str, list[Write]] = field(default_factory=lambda: defaultdict(list))
    """By `database.collection`, in their order."""
    write_bytes: int = 0
    records: dict[str, list[tuple[bytes | None, bytes | None]]] = field(default_factory=lambda: defaultdict(list))
    """By topic: key and value."""
    readers: dict[str, int] = field(default_factory=dict)

    @property
    def written(self) -> int:
        return sum(map(len, self.writes.values()))

    @property
    def record_bytes(self) -> int:
        return sum(len(value or b"") for records in self.records.values() for _, value in records)

    @property
    def produced(self) -> int:
        return sum(map(len, self.records.values()))

    @property
    def read(self) -> int:
        return sum(len(records) * self.readers.get(topic, 0) for topic, records in self.records.items())


async def traces_of(place: Arena, customers: int, rate: float, seconds: float) -> Traces:
    """Play a load on customers who are known, and read off what it left behind."""
    mix = {"customers": customers, "one_channel_each": True}
    await place.play(Load(min(rate, 500), customers, "kafka", 1, mix | {"everybody_first": True}))
    traces = Traces(int(rate * seconds))
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(place.ground.running.servers.mongo.url)
    async with mongo, Topics(place.ground.kafka) as topics:
        ends = await topics.ends()
        begin = await latest(mongo)
        await place.play(Load(rate, traces.events, "kafka", 2, mix))
        async for entry in mongo.local["oplog.rs"].find({"ts": {"$gt": begin}}).sort("$natural", 1):
            note(traces, entry)
        traces.readers = await readers(place.ground.kafka)
        await topics.note(traces, ends)
    return traces


async def latest(mongo: AsyncMongoClient[dict[str, Any]]) -> bson.Timestamp:
    newest = await mongo.local["oplog.rs"].find_one(sort=[("$natural", -1)])
    assert newest
    ts: bson.Timestamp = newest["ts"]
    return ts


def note(traces: Traces, entry: Mapping[str, Any]) -> None:
    """An entry of the oplog: one write, or a transaction of many."""
    inner = entry["o"].get("applyOps", []) if entry["ns"] == "admin.$cmd" else [entry]
    ours = [one for one in inner if one["ns"].startswith(OURS) and one["op"] in {"i", "u", "d"}]
    for one in ours:
        traces.writes[one["ns"]].append(as_write(one))
        traces.write_bytes += len(bson.encode(one["o"]))


def as_write(entry: Mapping[str, Any]) -> Write:
    """The same again, on a document that may not be there: what an update changes becomes what it sets."""
    if entry["op"] == "i":
        return InsertOne(dict(entry["o"]))
    if entry["op"] == "d":
        return DeleteOne({"_id": entry["o"]["_id"]})
    return UpdateOne({"_id": entry["o2"]["_id"]}, {"$set": {"changed": entry["o"]}}, upsert=True)


class Topics:
    """Reads topics, from where they ended to where they end now."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def ends(self) -> dict[TopicPartition, int]:
        topics = [topic for topic in await self._consumer.topics() if not topic.startswith("__")]
        await self._consumer._client.set_topics(topics)
        numbers = self._consumer._client.cluster.partitions_for_topic
        partitions = [TopicPartition(topic, number) for topic in topics for number in numbers(topic) or ()]
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(partitions)
        return ends

    async def note(self, traces: Traces, begins: Mapping[TopicPartition, int]) -> None:
        ends = await self.ends()
        waiting = {place for place in ends if ends[place] > begins.get(place, 0)}
        self._consumer.assign(list(waiting))
        for place in waiting:
            self._consumer.seek(place, begins.get(place, 0))
        while waiting:
            for place, records in (await self._consumer.getmany(timeout_ms=1000)).items():
                traces.records[place.topic] += [(record.key, record.value) for record in records]
                # Markers of transactions have offsets too; the position counts them.
            waiting = {place for place in waiting if await self._consumer.position(place) < ends[place]}


async def readers(bootstrap: str) -> dict[str, int]:
    """How many groups keep a position in each topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        groups = [name for name, _ in await admin.list_consumer_groups()]
        kept = [{place.topic for place in await admin.list_consumer_group_offsets(group)} for group in groups]
    finally:
        await admin.close()
    return dict(Counter(itertools.chain.from_iterable(kept)))
