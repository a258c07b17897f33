"""One service of the bare line as a process of its own. Says JSON lines: that it is ready, then how many batches of how many records."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from services.sync.handlers.webhooks import Pace
from shared.messaging.listener import FETCH_PARTITION_BYTES
from shared.messaging.patient import GATHER_BYTES, PatientConsumer
from shared.messaging.producer import BATCH_BYTES
from shared.plumbing import settle_garbage
from tests.bench.bareline.channels import Channel, Compacted, Stream, Way, Webhook
from tests.bench.bareline.hop import Document, Hop, Manner, Mongo, Service
from tests.bench.bareline.services import NAMES, Sync, service_named
from tests.talking import tell

SAY_SECONDS = 0.25
BREATH = Pace().breath


def consumer(kafka: str, service: Service, manner: Manner) -> AIOKafkaConsumer:
    options = {
        "bootstrap_servers": kafka,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "max_partition_fetch_bytes": FETCH_PARTITION_BYTES,
    }
    if service.unhurried_ms or manner.patient:
        patient = PatientConsumer(**options)
        patient.gather_ms = service.unhurried_ms or manner.gather_ms
        return patient
    gathering = {"fetch_min_bytes": GATHER_BYTES, "fetch_max_wait_ms": manner.gather_ms} if manner.gather_ms else {}
    return AIOKafkaConsumer(**options, **gathering)


async def work(asked: argparse.Namespace) -> None:
    mongo: Mongo = AsyncMongoClient[Document](asked.mongo, w="majority")
    producer = AIOKafkaProducer(
        bootstrap_servers=asked.kafka, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES
    )
    async with mongo, producer:
        manner = Manner(**json.loads(asked.manner))
        channels = await end_of_line(asked, manner, mongo, producer) if asked.service == Sync.name else []

        def changed(views: dict[int, bytes]) -> None:
            for channel in channels:
                channel.put(views)

        service = service_named(asked.service, changed)
        async with consumer(asked.kafka, service, manner) as hearing:
            hop = Hop(service, mongo, hearing, producer, manner)
            await hop.prepare()
            settle_garbage()
            await until_stopped(hop, channels)


async def end_of_line(
    asked: argparse.Namespace, manner: Manner, mongo: Mongo, producer: AIOKafkaProducer
) -> list[Channel]:
    stream = Stream()
    await stream.listen(asked.stream_port)
    ways: list[Way] = [Webhook(asked.webhook_port), stream, Compacted(producer)]
    return [Channel(way, mongo, min(manner.gather_ms / 1000, BREATH)) for way in ways]


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
    tell(ready=True)
    said = -1
    while True:
        await asyncio.sleep(SAY_SECONDS)
        if hop.batches != said:
            said = hop.batches
            tell(batches=hop.batches, records=hop.records)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=NAMES, required=True)
    parser.add_argument("--kafka", required=True, help="bootstrap address")
    parser.add_argument("--mongo", required=True, help="URL")
    parser.add_argument("--webhook-port", type=int, required=True)
    parser.add_argument("--stream-port", type=int, required=True)
    parser.add_argument("--manner", required=True, help="fields of Manner, as JSON")
    uvloop.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
