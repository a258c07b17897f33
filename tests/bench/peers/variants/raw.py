"""aiokafka by hand: getmany, pydantic, a commit a batch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer
from pymongo import AsyncMongoClient, UpdateOne

from tests.bench.peers.work import BATCH, Check, Job, Ledger, Meter, Purchase, batch_writes

Apply = Callable[[list[Purchase]], Awaitable[None]]
WAIT_MS = 1_000
FETCH_PARTITION_BYTES = 4 * 1_048_576
"""As our core asks for, four times the client's default; it costs or gains nothing that can be measured."""
validate = Purchase.__pydantic_validator__.validate_json


async def memory(job: Job, meter: Meter) -> Check:
    return await _in_memory(job, meter, job.bare)


async def memory_with_headers(job: Job, meter: Meter) -> Check:
    """The very records that our core reads: what their headers cost a client that does not look at them."""
    return await _in_memory(job, meter, job.purchases)


async def _in_memory(job: Job, meter: Meter, topic: str) -> Check:
    ledger = Ledger()

    async def apply(purchases: list[Purchase]) -> None:
        ledger.add_all(purchases)

    await _consume(job, meter, topic, apply)
    return ledger.check()


async def database(job: Job, meter: Meter) -> None:
    """One bulk write a batch, then the commit."""
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        totals = client[job.database]["totals"]

        async def apply(purchases: list[Purchase]) -> None:
            await totals.bulk_write(batch_writes(purchases), ordered=False)

        await _consume(job, meter, job.bare, apply)


async def _consume(job: Job, meter: Meter, topic: str, apply: Apply) -> None:
    consumer = _consumer(job, topic, group=job.group)
    await consumer.start()
    while not meter.complete:
        batches = await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
        if batches:
            meter.begin()
            purchases = [validate(record.value) for records in batches.values() for record in records]
            await apply(purchases)
            await consumer.commit()
            meter.add(len(purchases))
    await consumer.stop()


async def exact(job: Job, meter: Meter) -> None:
    """The offset moves in the transaction that makes the effect: what our core does, with nothing around it."""
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        database = client[job.database]
        await database.create_collection("totals")
        await database.create_collection("offsets")
        stored = {d["_id"]: d["next"] async for d in database["offsets"].find()}
        consumer = _consumer(job, job.bare)
        await consumer.start()
        for partition in consumer.assignment():
            consumer.seek(partition, stored.get(partition.partition, 0))
        while not meter.complete:
            batches = await consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
            if batches:
                meter.begin()
                purchases = [validate(record.value) for records in batches.values() for record in records]
                places = {p.partition: records[-1].offset + 1 for p, records in batches.items()}
                await _move(client, database, batch_writes(purchases), places)
                meter.add(len(purchases))
        await consumer.stop()


async def _move(client: Any, database: Any, writes: list[UpdateOne], places: dict[int, int]) -> None:
    moves = [UpdateOne({"_id": number}, {"$set": {"next": to}}, upsert=True) for number, to in places.items()]

    async def change(session: Any) -> None:
        await database["totals"].bulk_write(writes, ordered=False, session=session)
        await database["offsets"].bulk_write(moves, session=session)

    async with client.start_session() as session:
        await session.with_transaction(change)


def _consumer(job: Job, topic: str, *, group: str | None = None) -> AIOKafkaConsumer:
    """Without a group it takes all partitions at once."""
    return AIOKafkaConsumer(
        topic,
        bootstrap_servers=job.bootstrap,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_PARTITION_BYTES,
    )
