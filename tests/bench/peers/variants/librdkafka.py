"""librdkafka through confluent-kafka: the floor, and what decoding adds to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec  # type: ignore[import-not-found]
import orjson
from confluent_kafka import Consumer  # type: ignore[import-not-found]
from pymongo import MongoClient

from tests.bench.peers.work import BATCH, Check, Job, Ledger, Meter, Purchase, Totals, batch_writes

WAIT_SECONDS = 1.0


class Struct(msgspec.Struct, frozen=True):  # type: ignore[misc,call-arg]
    """The same fields as `Purchase`, and the same types; of its rules only these."""

    order_id: str
    customer_id: str
    store: str
    product: str
    category: str
    currency: str
    quantity: int
    total: Decimal
    loyal: bool
    ordered_at: datetime
    note: str
    campaign: str | None = None


def floor(job: Job, meter: Meter) -> None:
    """Nothing is decoded, so there is nothing to compare but the number of records."""
    _consume(job, meter, lambda _: None)


def with_orjson(job: Job, meter: Meter) -> Check:
    """Decoded, not validated: whatever a field holds is taken."""
    found: dict[str, list[Any]] = {}

    def apply(values: list[bytes]) -> None:
        for value in values:
            document = orjson.loads(value)
            totals = found.setdefault(document["customer_id"], [0, Decimal(0), ""])
            totals[0] += 1
            totals[1] += Decimal(document["total"])
            totals[2] = max(totals[2], document["ordered_at"])

    _consume(job, meter, apply)
    ledger = Ledger()
    ledger.totals = {customer: Totals(count, total) for customer, (count, total, _) in found.items()}
    return ledger.check()


def with_msgspec(job: Job, meter: Meter) -> Check:
    return _folded(job, meter, msgspec.json.Decoder(Struct).decode)


def with_pydantic(job: Job, meter: Meter) -> Check:
    return _folded(job, meter, Purchase.__pydantic_validator__.validate_json)


def _folded(job: Job, meter: Meter, read: Callable[[bytes], Any]) -> Check:
    ledger = Ledger()

    def apply(values: list[bytes]) -> None:
        ledger.add_all(map(read, values))

    _consume(job, meter, apply)
    return ledger.check()


def database(job: Job, meter: Meter) -> None:
    read = Purchase.__pydantic_validator__.validate_json
    with MongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True) as client:
        totals = client[job.database]["totals"]

        def apply(values: list[bytes]) -> None:
            totals.bulk_write(batch_writes([read(value) for value in values]), ordered=False)

        _consume(job, meter, apply)


def _consume(job: Job, meter: Meter, apply: Callable[[list[bytes]], None]) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap,
            "group.id": job.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([job.bare])
    while not meter.complete:
        messages = consumer.consume(BATCH, timeout=WAIT_SECONDS)
        if messages:
            meter.begin()
            values = [message.value() for message in messages if message.error() is None]
            apply(values)
            consumer.commit(asynchronous=False)
            meter.add(len(values))
    consumer.close()
