"""What consuming through our core costs, against the barest loop that does the same: `python -m tests.bench.core`.

All read and validate the same records. `raw` is aiokafka's getmany with pydantic and a commit per batch; `framework` is
our listener and consumer over a transaction in memory; `exact` is the same with the real guarded-offset transaction.
They take turns for several rounds, each in a process of its own, and the medians count, because machines are noisy.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer

from deploy.local import topics as local_topics
from shared import logging, mongo
from shared.contracts.channels import INBOUND, SaleReported
from shared.messaging import CloudEvent, Messaging, Outgoing, Received, Subscription, Unit
from shared.messaging.producer import Producer
from shared.plumbing import settle_garbage
from shared.settings import PlatformSettings
from tests.messaging.memory import Memory
from tests.messaging.records import SOURCE, TIME

KINDS = ("raw", "framework", "exact")
RESULT = Path("var/bench/core.json")
ROUND = 2_000


def event(number: int) -> Outgoing:
    """About 400 bytes of data: a sale with two lines."""
    line = {
        "product": f"product-{number % 1000}",
        "quantity": "2",
        "value": "12.50",
        "discounts": {"retail": "1.50", "coupon": "0.25"},
    }
    data = orjson.dumps(
        {
            "customer": [{"scheme": "loyalty-card", "value": f"card-{number % 10_000}"}],
            "order": f"order-{number}",
            "ordered_at": "2017-01-01T12:30:00Z",
            "store": "store-0042",
            "currency": "USD",
            "lines": [line, line | {"value": "7.25"}],
        }
    )
    sale = CloudEvent(f"sale-{number}", SOURCE, SaleReported.TYPE, data, TIME)
    return Outgoing(INBOUND.name, f"card-{number % 10_000}".encode(), data, sale.headers())


async def fill(settings: PlatformSettings, messages: int) -> int:
    """Returns the data's mean size."""
    await local_topics.create(settings.kafka_bootstrap, settings.namespace, settings.partitions)
    producer = Producer("bench", settings)
    await producer.start()
    for begin in range(0, messages, ROUND):
        await producer.publish([event(n) for n in range(begin, min(messages, begin + ROUND))])
    await producer.stop()
    return len(event(messages // 2).value or b"")


class Meter:
    """Counts events, and measures from the first batch on, so that starting and joining do not count."""

    def __init__(self, messages: int) -> None:
        self.messages = messages
        self.seen = 0
        self._skipped = 0
        self._began: tuple[float, float] | None = None
        self.done = asyncio.Event()

    def add(self, count: int) -> None:
        self.seen += count
        if self._began is None:
            self._skipped, self._began = self.seen, (time.perf_counter(), time.process_time())
        if self.seen >= self.messages:
            self.done.set()

    def result(self) -> dict[str, float]:
        assert self._began is not None
        seconds, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        counted = self.seen - self._skipped
        return {"per_second": counted / seconds, "cpu_per_million": cpu / counted * 1e6}


async def raw(settings: PlatformSettings, messages: int) -> dict[str, float]:
    meter = Meter(messages)
    consumer = AIOKafkaConsumer(
        settings.namespace + INBOUND.name,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=settings.namespace + settings.instance,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 * 1_048_576,
    )
    await consumer.start()
    validate = SaleReported.__pydantic_validator__.validate_json
    while not meter.done.is_set():
        batches = await consumer.getmany(timeout_ms=1000, max_records=settings.batch_records)
        facts = [validate(record.value) for records in batches.values() for record in records]
        if facts:
            await consumer.commit()
            meter.add(len(facts))
    result = meter.result()
    await consumer.stop()
    return result


async def ours(settings: PlatformSettings, messages: int, *, exact: bool) -> dict[str, float]:
    meter = Meter(messages)

    async def apply(unit: Unit, events: Sequence[Received]) -> None:
        meter.add(len(events))

    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_bench"]
    messaging = Messaging("bench", settings, client, database)
    messaging.listen(Subscription(settings.instance, (INBOUND,), apply))
    if not exact:
        memory = Memory()
        consumer = messaging._listeners[0]._consumer
        consumer._client, consumer._database = memory.client, memory.database
        consumer.offsets._documents = memory.database["offsets"]
    await messaging.start()
    await meter.done.wait()
    result = meter.result()
    await messaging.stop()
    await mongo.close(client)
    return result


async def measure(kind: str, settings: PlatformSettings, messages: int) -> dict[str, float]:
    settle_garbage()
    gc.collect()
    if kind == "raw":
        return await raw(settings, messages)
    return await ours(settings, messages, exact=kind == "exact")


def alone(kind: str, namespace: str, messages: int, number: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.core", "--messages", str(messages), "--namespace", namespace]
    ran = subprocess.run([*command, "--kind", kind, "--round", str(number)], stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def compare(messages: int, rounds: int) -> dict[str, Any]:
    namespace = f"bench-{secrets.token_hex(4)}-"
    settings = PlatformSettings(namespace=namespace)
    size = asyncio.run(fill(settings, messages))
    runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    for number in range(rounds):
        for kind in KINDS:
            runs[kind].append(alone(kind, namespace, messages, number))
    asyncio.run(_clear(settings))
    figures = {
        kind: {name: statistics.median(run[name] for run in found) for name in found[0]} for kind, found in runs.items()
    }
    base = figures["raw"]["cpu_per_million"]
    for figure in figures.values():
        figure["ratio"] = figure["cpu_per_million"] / base
    return {"messages": messages, "bytes": size, "rounds": rounds, "medians": figures, "runs": runs}


async def _clear(settings: PlatformSettings) -> None:
    await local_topics.delete(settings.kafka_bootstrap, settings.namespace)
    client = mongo.connect(settings)
    await client.drop_database(f"{settings.namespace}rapport_bench")
    await mongo.close(client)


def show(result: dict[str, Any]) -> None:
    print(f"{result['messages']:,} events of {result['bytes']} bytes, medians of {result['rounds']} rounds")
    print(f"{'':12}{'events/s':>12}{'CPU s/million':>16}{'ratio':>8}")
    for kind, figure in result["medians"].items():
        print(f"{kind:12}{figure['per_second']:>12,.0f}{figure['cpu_per_million']:>16.1f}{figure['ratio']:>8.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kind", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--namespace", default="", help=argparse.SUPPRESS)
    parser.add_argument("--round", type=int, default=0, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    logging.configure("bench", "bench", "error")
    if asked.kind:
        settings = PlatformSettings(namespace=asked.namespace, instance=f"{asked.kind}-{asked.round}")
        print(json.dumps(asyncio.run(measure(asked.kind, settings, asked.messages))))
        return
    result = compare(asked.messages, asked.rounds)
    show(result)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
