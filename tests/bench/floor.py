"""The floor under the whole platform: what its writes and records cost when nobody does anything else with them.

A load is played on the platform, and what came of it is kept: every write in MongoDB's oplog, every record in Kafka, and
who read it. Then the same writes and records are made again on bare servers, in large batches, by loops that decode and
decide nothing. No design that keeps the same facts in the same places can cost less; `python -m tests.bench.floor`.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import bson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient, DeleteOne, InsertOne, UpdateOne

from deploy.local import platform, processes, servers
from deploy.local.layout import Layout, shifted
from tests.bench.endtoend import TARGET
from tests.bench.section import Row, Section, Stage, alone, sentences
from tests.bench.trial.arena import Arena, arena
from tests.bench.trial.load import Load

T = TypeVar("T")
CORES = 2
WRITES_AT_ONCE = 500
RECORDS_AT_ONCE = 500
OURS = "rapport_"
Write = InsertOne[dict[str, Any]] | UpdateOne | DeleteOne
NOTES = """
The load is the end to end section's; its writes and records are taken from the oplog and from the topics.
Writes are made again in transactions of 500, without any index but `_id`, on documents that hold nothing else; records are
produced in batches of 500 and read, undecoded, by as many readers as the topic has groups.
Not in it: decoding, validating, deciding, change streams, reading what is there, webhooks, the generator.
"""


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


@dataclass(frozen=True)
class Cost:
    """CPU microseconds an event."""

    server: float
    client: float


async def run(stage: Stage) -> Section:
    customers = stage.pick(smoke=50, quick=2_000, normal=10_000, full=10_000)
    rate, seconds = stage.pick(smoke=(50, 3), quick=(500, 10), normal=(1_000, 20), full=(1_000, 60))
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    async with arena(stage) as place:
        traces = await traces_of(place, customers, rate, seconds)
    stage.say(f"{traces.written:,} writes and {traces.produced:,} records of {traces.events:,} events")
    async with bare(stage) as (found, layout):
        writes = [await writing(found.mongo.url, layout, traces, turn) for turn in range(rounds)]
        records = [await carrying(found.kafka.url, layout, traces, turn) for turn in range(rounds)]
    rows = rows_of(traces, median(writes), median(records))
    details = {"writes": [vars(cost) for cost in writes], "records": [vars(cost) for cost in records]}
    return Section(
        "floor", "The floor: the same writes and records, and nothing else", rows, sentences(NOTES), "", details
    )


def rows_of(traces: Traces, writes: Cost, records: Cost) -> list[Row]:
    per = traces.events
    budget = CORES * 1e6 / TARGET
    floor = writes.server + writes.client + records.server + records.client
    both: list[Row] = [
        {
            "what": "MongoDB: writes",
            "an event": round(traces.written / per, 2),
            "bytes an event": round(traces.write_bytes / per),
            "server, CPU us an event": round(writes.server, 1),
            "client, CPU us an event": round(writes.client, 1),
        },
        {
            "what": f"Kafka: records, read {traces.read / max(1, traces.produced):.1f} times",
            "an event": round(traces.produced / per, 2),
            "bytes an event": round(traces.record_bytes / per),
            "server, CPU us an event": round(records.server, 1),
            "client, CPU us an event": round(records.client, 1),
        },
    ]
    together: Row = {
        "what": "together",
        "CPU us an event": round(floor, 1),
        "of two cores at 5,000/s": f"{floor / budget:.0%}",
    }
    return [*both, together]


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(c.server for c in costs), statistics.median(c.client for c in costs))


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


@asynccontextmanager
async def bare(stage: Stage) -> AsyncIterator[tuple[servers.Servers, Layout]]:
    """Fresh servers without any service."""
    layout = Layout(stage.place / "bare", shifted(stage.port_base))
    await asyncio.to_thread(platform.down, layout, wipe=True)
    try:
        yield await asyncio.to_thread(servers.up, layout, stage.say), layout
    finally:
        await asyncio.to_thread(platform.down, layout, wipe=True)


async def measured(layout: Layout, server: str, events: int, work: Callable[[], Awaitable[None]]) -> Cost:
    """CPU of the server and of this process while the work is done."""
    record = processes.living(layout.run, server)
    assert record
    process = record.process()
    assert process

    def used() -> float:
        times = process.cpu_times()
        return float(times.user + times.system)

    before, own = used(), time.process_time()
    await work()
    return Cost((used() - before) / events * 1e6, (time.process_time() - own) / events * 1e6)


async def writing(url: str, layout: Layout, traces: Traces, turn: int) -> Cost:
    mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, w="majority")
    async with mongo:
        places = [(mongo[f"floor{turn}_{place}"[:60]]["all"], writes) for place, writes in plain(traces.writes)]
        for collection, _ in places:
            await collection.insert_one({"_id": "here"})

        async def work() -> None:
            for collection, writes in places:
                for some in batches(writes, WRITES_AT_ONCE):
                    async with mongo.start_session() as session, await session.start_transaction():
                        await collection.bulk_write(some, ordered=True, session=session)

        return await measured(layout, "mongo", traces.events, work)


def plain(writes: Mapping[str, list[Write]]) -> Iterator[tuple[str, list[Write]]]:
    for place, some in writes.items():
        yield place.replace(".", "_"), some


async def carrying(url: str, layout: Layout, traces: Traces, turn: int) -> Cost:
    names = {topic: f"floor-{turn}-{topic}" for topic in traces.records}
    admin = AIOKafkaAdminClient(bootstrap_servers=url)
    await admin.start()
    await admin.create_topics([NewTopic(name, platform.DEFAULT_PARTITIONS, 1) for name in names.values()])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=url, acks="all", enable_idempotence=True, max_batch_size=1 << 20)
    await producer.start()

    async def work() -> None:
        for topic, records in traces.records.items():
            for some in batches(records, RECORDS_AT_ONCE):
                sent = [await producer.send(names[topic], value, key=key) for key, value in some]
                await asyncio.gather(*sent)
        for topic, records in traces.records.items():
            for _ in range(traces.readers.get(topic, 0)):
                await read(url, names[topic], len(records))

    try:
        return await measured(layout, "kafka", traces.events, work)
    finally:
        await producer.stop()


async def read(url: str, topic: str, count: int) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=url,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
    )
    async with consumer:
        while count > 0:
            found = await consumer.getmany(timeout_ms=1000)
            count -= sum(map(len, found.values()))


def batches(of: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (of[begin : begin + size] for begin in range(0, len(of), size))


if __name__ == "__main__":
    alone("floor", run)
