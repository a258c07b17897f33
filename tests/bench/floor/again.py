"""The same writes and records once more, in large batches, by loops that decode and decide nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from deploy.local import platform
from deploy.local.layout import Layout
from tests.bench.floor.bare import Cost, measured
from tests.bench.floor.traces import Traces, Write

T = TypeVar("T")
WRITES_AT_ONCE = 500
RECORDS_AT_ONCE = 500


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

        return await measured(layout, ("mongo",), traces.events, work)


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
        return await measured(layout, ("kafka",), traces.events, work)
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
