"""Quix Streams: a dataframe of purchases, state in the process, in its own store, or in a sink."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from pymongo import MongoClient
from pymongo.uri_parser import parse_uri
from quixstreams import Application, State  # type: ignore[import-not-found]
from quixstreams.sinks import BatchingSink, SinkBatch  # type: ignore[import-not-found]
from quixstreams.sinks.community.mongodb import MongoDBSink  # type: ignore[import-not-found]

from tests.bench.peers.work import BATCH, BEGINNING, Check, Job, Ledger, Meter, Purchase, batch_writes

validate: Callable[[bytes], Purchase] = Purchase.__pydantic_validator__.validate_json
PARTITIONS = 4
"""A checkpoint writes each partition by itself, so four batches fit between two of them."""


def memory(job: Job, meter: Meter) -> Check:
    """A dictionary in the handler; offsets are committed each 5 seconds."""
    ledger = Ledger()

    def fold(value: bytes) -> None:
        meter.begin()
        ledger.add(validate(value))
        meter.add(1)

    app = _application(job)
    _frame(app, job).update(fold)
    _run(app, job, meter)
    return ledger.check()


def own_store(job: Job, meter: Meter) -> Check:
    """State in RocksDB and its changelog topic, within Kafka's transactions."""
    ledger: dict[str, tuple[int, str]] = {}

    def fold(value: bytes, state: State) -> None:
        meter.begin()
        document = _folded(validate(value), state)
        ledger[document["_id"]] = document["count"], document["total"]
        meter.add(1)

    app = _application(job, processing_guarantee="exactly-once")
    _frame(app, job).update(fold, stateful=True)
    _run(app, job, meter)
    money = sum((Decimal(total) for _, total in ledger.values()), Decimal(0))
    return Check(len(ledger), sum(count for count, _ in ledger.values()), str(money))


def _folded(purchase: Purchase, state: State) -> dict[str, Any]:
    """The store takes JSON only, so money is text and time is text."""
    before = state.get("totals", default={"count": 0, "total": "0", "latest": BEGINNING.isoformat()})
    after = {
        "_id": purchase.customer_id,
        "count": before["count"] + 1,
        "total": str(Decimal(before["total"]) + purchase.total),
        "latest": max(before["latest"], purchase.ordered_at.isoformat()),
    }
    state.set("totals", after)
    return after


class Increments(BatchingSink):  # type: ignore[misc]
    """What came since the last checkpoint, as one write a customer."""

    def __init__(self, job: Job, meter: Meter) -> None:
        super().__init__()
        self._client = MongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True)
        self._totals = self._client[job.database]["totals"]
        self._meter = meter

    def write(self, batch: SinkBatch) -> None:
        for chunk in batch.iter_chunks(BATCH):
            self._totals.bulk_write(batch_writes([item.value for item in chunk]), ordered=False)
            self._meter.add(len(chunk))


def database(job: Job, meter: Meter) -> None:
    """A sink of increments: a crash between the write and the commit writes them again."""

    def read(value: bytes) -> Purchase:
        meter.begin()
        return validate(value)

    app = _application(job, commit_every=PARTITIONS * BATCH)
    _frame(app, job).apply(read).sink(Increments(job, meter))
    _run(app, job, meter)


class Absolutes(MongoDBSink):  # type: ignore[misc]
    """Quix's own sink, counted."""

    def __init__(self, job: Job, meter: Meter) -> None:
        server = parse_uri(job.mongo_url)
        host, port = server["nodelist"][0]
        options = {"w": "majority", "journal": True, **server["options"]}
        super().__init__(host, job.database, "totals", port=port, document_matcher=lambda i: {"_id": i.key}, **options)
        self._meter = meter

    def write(self, batch: SinkBatch) -> None:
        super().write(batch)
        self._meter.add(batch.size)


def database_exact(job: Job, meter: Meter) -> None:
    """State in its own store under Kafka's transactions, and the whole state of a customer to the sink: a second write
    of the same is harmless. The database lags a checkpoint behind the store, which is what counts.
    """

    def fold(value: bytes, state: State) -> dict[str, Any]:
        meter.begin()
        return _folded(validate(value), state)

    app = _application(job, commit_every=PARTITIONS * BATCH, processing_guarantee="exactly-once")
    _frame(app, job).apply(fold, stateful=True).sink(Absolutes(job, meter))
    _run(app, job, meter)


def _application(job: Job, **options: Any) -> Application:
    logging.getLogger("quixstreams").setLevel(logging.ERROR)
    return Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        state_dir=job.place,
        loglevel=None,
        **options,
    )


def _frame(app: Application, job: Job) -> Any:
    return app.dataframe(app.topic(job.bare, key_deserializer="str", value_deserializer="bytes"))


def _run(app: Application, job: Job, meter: Meter) -> None:
    """It stops, and commits, when it has processed all."""
    app.run(count=job.events, collect=False)
    assert meter.complete, f"only {meter.seen} of {job.events}"
