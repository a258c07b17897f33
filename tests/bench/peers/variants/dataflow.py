"""Bytewax: a dataflow on one worker."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op  # type: ignore[import-not-found]
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage  # type: ignore[import-not-found]
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]
from bytewax.outputs import DynamicSink, StatelessSinkPartition  # type: ignore[import-not-found]
from bytewax.recovery import RecoveryConfig, init_db_dir  # type: ignore[import-not-found]
from bytewax.run import cli_main  # type: ignore[import-not-found]
from pymongo import MongoClient

from tests.bench.peers.work import BATCH, Check, Job, Ledger, Meter, Purchase, Totals, batch_writes

validate = Purchase.__pydantic_validator__.validate_json
SNAPSHOT_EVERY = timedelta(seconds=1)


def memory(job: Job, meter: Meter) -> Check:
    """A dictionary folded by the batch, no recovery: the cheapest that it can do, and nothing survives."""
    ledger = Ledger()

    def fold(messages: list[KafkaSourceMessage[bytes, bytes]]) -> list[int]:
        meter.begin()
        ledger.add_all(validate(message.value) for message in messages)
        meter.add(len(messages))
        return []

    flow = Dataflow("bench")
    op.output("out", op.flat_map_batch("fold", op.input("in", flow, _source(job)), fold), Nowhere())
    _run(flow, meter)
    return ledger.check()


def stateful(job: Job, meter: Meter) -> Check:
    """State where Bytewax keeps it: keyed, so that it can be distributed and, with recovery, survive."""
    ledger: dict[str, Totals] = {}

    def read(messages: list[KafkaSourceMessage[bytes, bytes]]) -> list[tuple[str, Purchase]]:
        meter.begin()
        return [(purchase.customer_id, purchase) for message in messages if (purchase := validate(message.value))]

    def fold(totals: Totals | None, purchase: Purchase) -> tuple[Totals, None]:
        if totals is None:
            totals = ledger[purchase.customer_id] = Totals()
        totals.add(purchase)
        meter.add(1)
        return totals, None

    flow = Dataflow("bench")
    purchases = op.flat_map_batch("read", op.input("in", flow, _source(job)), read)
    op.output("out", op.stateful_map("fold", purchases, fold), Nowhere())
    _run(flow, meter)
    found = Ledger()
    found.totals = ledger
    return found.check()


def database(job: Job, meter: Meter) -> None:
    """A sink that writes what a batch holds, with recovery: after a crash the last epoch is written again."""

    def read(messages: list[KafkaSourceMessage[bytes, bytes]]) -> list[Purchase]:
        meter.begin()
        return [validate(message.value) for message in messages]

    flow = Dataflow("bench")
    purchases = op.flat_map_batch("read", op.input("in", flow, _source(job)), read)
    op.output("out", purchases, Increments(job, meter))
    recovery = Path(job.place)
    init_db_dir(recovery, 1)
    _run(flow, meter, recovery_config=RecoveryConfig(recovery), epoch_interval=SNAPSHOT_EVERY)


class Nowhere(DynamicSink[Any]):  # type: ignore[misc]
    """A dataflow must end somewhere."""

    def build(self, *_: Any) -> Dropping:
        return Dropping()


class Dropping(StatelessSinkPartition[Any]):  # type: ignore[misc]
    def write_batch(self, items: list[Any]) -> None:
        """What comes out has been folded already."""


class Increments(DynamicSink[Purchase]):  # type: ignore[misc]
    """Each batch as one write a customer."""

    def __init__(self, job: Job, meter: Meter) -> None:
        self._job = job
        self._meter = meter

    def build(self, *_: Any) -> Writing:
        return Writing(self._job, self._meter)


class Writing(StatelessSinkPartition[Purchase]):  # type: ignore[misc]
    def __init__(self, job: Job, meter: Meter) -> None:
        self._client = MongoClient[dict[str, Any]](job.mongo_url, w="majority", journal=True)
        self._totals = self._client[job.database]["totals"]
        self._meter = meter

    def write_batch(self, items: list[Purchase]) -> None:
        self._totals.bulk_write(batch_writes(items), ordered=False)
        self._meter.add(len(items))


def _source(job: Job) -> KafkaSource:
    return KafkaSource([job.bootstrap], [job.bare], tail=False, batch_size=BATCH)


def _run(flow: Dataflow, meter: Meter, **options: Any) -> None:
    """It ends by itself at the end of the topic."""
    cli_main(flow, **options)
    assert meter.complete, f"only {meter.seen} of {meter.job.events}"
