"""One service of the bare line as a process of its own. Says JSON lines: that it is ready, then how many batches of how many records."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from shared.messaging.listener import FETCH_PARTITION_BYTES
from shared.messaging.patient import PatientConsumer
from shared.messaging.producer import BATCH_BYTES
from tests.bench.bareline.channels import Channel, Compacted, Stream, Way, Webhook
from tests.bench.bareline.hop import Document, Hop, Mongo
from tests.bench.bareline.services import NAMES, Sync, service_named
from tests.load.__main__ import settle_garbage

SAY_SECONDS = 0.25
BREATH = 0.02


def consumer(kafka: str, gather_ms: int) -> AIOKafkaConsumer:
    """`gather_ms`: 0 for whatever has come."""
    made = (PatientConsumer if gather_ms else AIOKafkaConsumer)(
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_PARTITION_BYTES,
    )
    if gather_ms:
        made.gather_ms = gather_ms
    return made


async def work(asked: argparse.Namespace) -> None:
    mongo: Mongo = AsyncMongoClient[Document](asked.mongo, w="majority")
    producer = AIOKafkaProducer(
        bootstrap_servers=asked.kafka, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    async with mongo, producer:
        channels = await end_of_line(asked, mongo, producer) if asked.service == Sync.name else []
        service = service_named(asked.service, lambda views: [channel.put(views) for channel in channels] and None)
        gather_ms = service.gather_ms if asked.gather or not service.waited_for else 0
        async with consumer(asked.kafka, gather_ms) as hearing:
            hop = Hop(service, mongo, hearing, producer, direct=asked.direct)
            await hop.prepare()
            settle_garbage()
            await until_stopped(hop, channels)


async def end_of_line(asked: argparse.Namespace, mongo: Mongo, producer: AIOKafkaProducer) -> list[Channel]:
    stream = Stream()
    await stream.listen(asked.stream_port)
    ways: list[Way] = [Webhook(asked.webhook_port), stream, Compacted(producer)]
    return [Channel(way, mongo, BREATH if asked.gather else 0.0) for way in ways]


async def until_stopped(hop: Hop, channels: list[Channel]) -> None:
    """A task that fails ends the process, and with it the bench."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(one) for one in (hop.run(), say(hop), stop.wait(), *(each.run() for each in channels))]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    for task in done:
        task.result()


async def say(hop: Hop) -> None:
    tell({"ready": True})
    said = -1
    while True:
        await asyncio.sleep(SAY_SECONDS)
        if hop.batches != said:
            said = hop.batches
            tell({"batches": hop.batches, "records": hop.records})


def tell(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=NAMES, required=True)
    parser.add_argument("--kafka", required=True, help="bootstrap address")
    parser.add_argument("--mongo", required=True, help="URL")
    parser.add_argument("--webhook-port", type=int, required=True)
    parser.add_argument("--stream-port", type=int, required=True)
    parser.add_argument("--gather", action="store_true", help="as the platform does")
    parser.add_argument("--direct", action="store_true", help="publish what is committed without the database's word")
    uvloop.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
