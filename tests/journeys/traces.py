"""Looks for somebody in everything that the platform has written: databases, Redis, topics, logs."""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.admin.records_to_delete import RecordsToDelete
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from redis import Redis

from deploy.local import topics as local_topics
from deploy.local.errors import CannotStart
from deploy.local.topics import admin_of
from shared.contracts.fact import Topic
from shared.contracts.sync import CUSTOMERS
from shared.contracts.topics import ALL
from shared.settings import PlatformSettings
from tests.waiting import eventually

METHODS = ("msg", "debug", "info", "warning", "error", "critical")


class Person:
    """Texts that only one person has."""

    def __init__(self, *texts: str) -> None:
        self._needles = [text.lower().encode() for text in texts]

    def within(self, content: bytes) -> bool:
        lower = content.lower()
        return any(needle in lower for needle in self._needles)


def kept(settings: PlatformSettings, person: Person) -> list[str]:
    """Where in the engines something of the person is: `database.collection` or a key's name."""
    return [*_in_mongo(settings, person), *_in_redis(settings, person)]


def _in_mongo(settings: PlatformSettings, person: Person) -> Iterator[str]:
    with MongoClient[RawBSONDocument](settings.mongo_url, document_class=RawBSONDocument) as client:
        for name in client.list_database_names():
            if name.startswith(settings.namespace):
                for collection in client[name].list_collection_names():
                    if any(person.within(bytes(document.raw)) for document in client[name][collection].find()):
                        yield f"{name.removeprefix(settings.namespace)}.{collection}"


def _in_redis(settings: PlatformSettings, person: Person) -> Iterator[str]:
    with Redis.from_url(settings.redis_url) as redis:
        for key in redis.scan_iter(f"{settings.namespace}*"):
            value: Any = redis.get(key)
            if person.within(key) or person.within(value or b""):
                yield key.decode()


async def told(settings: PlatformSettings, person: Person) -> set[str]:
    """Topics on which something of the person stands."""
    found: set[str] = set()
    async with _reader(settings, ALL) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                said = (b"%s %s %s" % (one.key or b"", one.value or b"", repr(one.headers).encode()) for one in records)
                if any(person.within(one) for one in said):
                    found.add(place.topic.removeprefix(settings.namespace))
    return found


async def records_go(settings: PlatformSettings) -> None:
    """What retention does: nothing is left of the topics that end."""
    async with _reader(settings, [topic for topic in ALL if not topic.compacted]) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
    async with admin_of(settings.kafka_bootstrap) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=end) for place, end in ends.items() if end})


async def two_weeks_pass(settings: PlatformSettings) -> None:
    """What retention and compaction do meanwhile: records go, and of crm.customers the values that a tombstone has ended."""
    await records_go(settings)
    async with admin_of(settings.kafka_bootstrap) as admin:
        name = settings.namespace + CUSTOMERS.name
        await admin.delete_topics([name])

        async def gone() -> bool:
            return name not in await admin.list_topics()

        # Before that, creating it would find the old one, and so would whoever reads it.
        await eventually(gone)

    async def anew() -> bool:
        try:
            await local_topics.create(settings.kafka_bootstrap, settings.namespace, settings.partitions, [CUSTOMERS])
        except (CannotStart, TimeoutError) as still_going:
            raise AssertionError(str(still_going)) from still_going
        return True

    await eventually(anew)


@asynccontextmanager
async def _reader(settings: PlatformSettings, topics: Iterable[Topic]) -> AsyncIterator[AIOKafkaConsumer]:
    names = [settings.namespace + topic.name for topic in topics]
    consumer = AIOKafkaConsumer(
        *names, bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    async with consumer:
        yield consumer


def collections(settings: PlatformSettings) -> dict[str, set[str]]:
    """All there are, by service."""
    with MongoClient[dict[str, Any]](settings.mongo_url) as client:
        begin = f"{settings.namespace}rapport_"
        names = [name for name in client.list_database_names() if name.startswith(begin)]
        return {name.removeprefix(begin): set(client[name].list_collection_names()) for name in names}


def logged(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All lines that services log from now on, whichever logger they go through."""
    lines: list[bytes] = []

    def keep(_: Any, message: bytes) -> None:
        lines.append(message)

    for method in METHODS:
        monkeypatch.setattr(structlog.BytesLogger, method, keep)
    return lines
