"""Faust, in its maintained fork: an agent over a stream, one by one or taking batches, and its own table."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import faust  # type: ignore[import-not-found]
from pymongo import AsyncMongoClient

from tests.bench.peers.work import BATCH, Check, Job, Ledger, Meter, Purchase, Totals, batch_writes

validate = Purchase.__pydantic_validator__.validate_json
PARTITIONS = 4
WAIT_SECONDS = 0.2
Agent = Callable[[Any], Awaitable[None]]


async def memory(job: Job, meter: Meter) -> Check:
    ledger = Ledger()

    async def agent(stream: Any) -> None:
        async for value in stream:
            meter.begin()
            ledger.add(validate(value))
            meter.add(1)

    await _consume(_app(job), job, meter, agent)
    return ledger.check()


async def table(job: Job, meter: Meter) -> Check:
    """Faust's own state: a table in memory, each change of it also told to a changelog topic."""
    app = _app(job)
    totals = app.Table("totals", default=tuple, partitions=PARTITIONS, key_type=str, value_type=str)
    ledger = Ledger()

    async def agent(stream: Any) -> None:
        async for value in stream:
            meter.begin()
            purchase = validate(value)
            ledger.add(purchase)
            known = ledger.totals[purchase.customer_id]
            totals[purchase.customer_id] = f"{known.count} {known.total} {known.latest.isoformat()}"
            meter.add(1)

    await _consume(app, job, meter, agent)
    return _in_table(dict(totals.items()))


def _in_table(rows: dict[str, str]) -> Check:
    ledger = Ledger()
    for customer_id, row in rows.items():
        count, total, _ = row.split()
        ledger.totals[customer_id] = Totals(int(count), Decimal(total))
    return ledger.check()


async def database(job: Job, meter: Meter) -> None:
    """Batches by `take`, one bulk write each; offsets are committed behind them, each 2.8 seconds."""
    async with AsyncMongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        totals = client[job.database]["totals"]

        async def agent(stream: Any) -> None:
            async for values in stream.take(BATCH, within=WAIT_SECONDS):
                meter.begin(skipped=len(values))
                await totals.bulk_write(batch_writes([validate(value) for value in values]), ordered=False)
                meter.add(len(values))

        await _consume(_app(job), job, meter, agent)


def _app(job: Job) -> faust.App:
    logging.getLogger("faust").setLevel(logging.ERROR)
    return faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        datadir=job.place,
        consumer_auto_offset_reset="earliest",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        web_enabled=False,
        loop=asyncio.get_running_loop(),
    )


async def _consume(app: faust.App, job: Job, meter: Meter, agent: Agent) -> None:
    topic = app.topic(job.bare, key_type=str, value_type=bytes, key_serializer="raw", value_serializer="raw")
    app.agent(topic)(agent)
    await app.start()
    await meter.done.wait()
    await app.stop()
