"""FastStream, one by one and in batches, as its documentation shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from pymongo import AsyncMongoClient

from tests.bench.peers.work import BATCH, Check, Job, Ledger, Meter, Purchase, Totals, batch_writes, increment


async def one_by_one(job: Job, meter: Meter) -> Check:
    """The default policy: offsets are committed by a timer, before the effect if need be."""
    ledger = Ledger()

    async def handle(purchase: Purchase) -> None:
        meter.begin(skipped=1)
        ledger.add(purchase)
        meter.add(1)

    await _consume(job, meter, handle)
    return ledger.check()


async def one_by_one_acknowledged(job: Job, meter: Meter) -> Check:
    """A commit after each message: nothing is lost."""
    ledger = Ledger()

    async def handle(purchase: Purchase) -> None:
        meter.begin(skipped=1)
        ledger.add(purchase)
        meter.add(1)

    await _consume(job, meter, handle, ack_policy=AckPolicy.NACK_ON_ERROR)
    return ledger.check()


async def batch(job: Job, meter: Meter) -> Check:
    ledger = Ledger()

    async def handle(purchases: list[Purchase]) -> None:
        meter.begin(skipped=len(purchases))
        ledger.add_all(purchases)
        meter.add(len(purchases))

    await _consume(job, meter, handle, batch=True, max_records=BATCH, ack_policy=AckPolicy.NACK_ON_ERROR)
    return ledger.check()


async def database_one_by_one(job: Job, meter: Meter) -> None:
    """An update a message, then its commit."""
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        totals = client[job.database]["totals"]

        async def handle(purchase: Purchase) -> None:
            meter.begin(skipped=1)
            await totals.bulk_write([increment(purchase.customer_id, _alone(purchase))])
            meter.add(1)

        await _consume(job, meter, handle, ack_policy=AckPolicy.NACK_ON_ERROR)


async def database_one_by_one_exact(job: Job, meter: Meter) -> None:
    """A transaction a message: its order's number is remembered beside the effect, and a second one is refused."""
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        database = client[job.database]
        await database.create_collection("totals")
        await database.create_collection("seen")

        async def handle(purchase: Purchase) -> None:
            meter.begin(skipped=1)

            async def change(session: Any) -> None:
                remembered = await database["seen"].update_one(
                    {"_id": purchase.order_id}, {"$setOnInsert": {}}, upsert=True, session=session
                )
                if remembered.upserted_id is not None:
                    writes = [increment(purchase.customer_id, _alone(purchase))]
                    await database["totals"].bulk_write(writes, session=session)

            async with client.start_session() as session:
                await session.with_transaction(change)
            meter.add(1)

        await _consume(job, meter, handle, ack_policy=AckPolicy.NACK_ON_ERROR)


async def database_batch(job: Job, meter: Meter) -> None:
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        totals = client[job.database]["totals"]

        async def handle(purchases: list[Purchase]) -> None:
            meter.begin(skipped=len(purchases))
            await totals.bulk_write(batch_writes(purchases), ordered=False)
            meter.add(len(purchases))

        await _consume(job, meter, handle, batch=True, max_records=BATCH, ack_policy=AckPolicy.NACK_ON_ERROR)


def _alone(purchase: Purchase) -> Totals:
    totals = Totals()
    totals.add(purchase)
    return totals


async def _consume(job: Job, meter: Meter, handle: Callable[..., Any], **options: Any) -> None:
    broker = KafkaBroker(job.bootstrap, logger=None)
    broker.subscriber(job.bare, group_id=job.group, auto_offset_reset="earliest", **options)(handle)
    await broker.start()
    await meter.done.wait()
    await broker.stop()
