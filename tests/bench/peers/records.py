"""The log that everybody drains: filled before anybody is measured, and cleared away with all that was made for it."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from deploy.local import topics
from shared.contracts.fact import Topic
from shared.contracts.topics import DEAD_LETTERS, REPLAYS
from shared.messaging import Outgoing
from shared.messaging.producer import Producer
from shared.settings import PlatformSettings
from tests.bench.peers.work import BARE, PURCHASES, customer, headers, value

PARTITIONS = 4
ROUND = 2_000
SECONDS = 300


async def fill(bootstrap: str, namespace: str, events: int) -> None:
    """Both topics, with the same keys and values in the same order."""
    wanted = (PURCHASES, Topic(BARE), REPLAYS, DEAD_LETTERS)
    await topics.create(bootstrap, namespace, PARTITIONS, wanted)
    producer = Producer("bench", PlatformSettings(kafka_bootstrap=bootstrap, namespace=namespace))
    async with asyncio.timeout(SECONDS):
        await producer.start()
        for begin in range(0, events, ROUND):
            numbers = range(begin, min(events, begin + ROUND))
            await producer.publish([_record(PURCHASES.name, n, events, headers(n)) for n in numbers])
            await producer.publish([_record(BARE, n, events, []) for n in numbers])
        await producer.stop()


def _record(topic: str, number: int, events: int, pairs: list[tuple[str, bytes]]) -> Outgoing:
    return Outgoing(topic, customer(number, events).encode(), value(number, events), pairs)


async def clear(bootstrap: str, mongo_url: str, token: str) -> None:
    """Every topic and database that carries the run's token, whoever made it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.delete_topics([name for name in await admin.list_topics() if token in name])
    await admin.close()
    async with AsyncMongoClient[dict[str, Any]](mongo_url) as client:
        for name in await client.list_database_names():
            if token in name:
                await client.drop_database(name)
