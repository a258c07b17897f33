"""Services made of nothing but the core, on the real broker and database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared import mongo
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Messaging, Received, Subscription, Unit, dead_letters
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.waiting import eventually


class Heard:
    """A handler that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Received] = []

    async def __call__(self, unit: Unit, events: Sequence[Received]) -> None:
        self.events += events

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]


class Rig:
    """Everything a test needs to run services; what it starts is stopped after the test."""

    def __init__(self, settings: PlatformSettings, stack: AsyncExitStack) -> None:
        self.settings = settings
        self._stack = stack
        self.client: Client = mongo.connect(settings)
        stack.push_async_callback(mongo.close, self.client)
        self._instances = 0

    def database(self, service: str) -> Database:
        return self.client[f"{self.settings.namespace}rapport_{service}"]

    async def service(self, name: str, *subscriptions: Subscription, **settings: Any) -> Messaging:
        """An instance, started and connected."""
        messaging = self.unstarted(name, *subscriptions, **settings)
        await messaging.start()
        await eventually(lambda: messaging._connected)
        return messaging

    def unstarted(self, name: str, *subscriptions: Subscription, **settings: Any) -> Messaging:
        self._instances += 1
        changes = {"instance": f"{name}-{self._instances}", "session_timeout_ms": 6000} | settings
        own = self.settings.model_copy(update=changes)
        messaging = Messaging(name, own, self.client, self.database(name))
        for subscription in subscriptions:
            messaging.listen(subscription)
        self._stack.push_async_callback(messaging.stop)
        return messaging

    async def producer(self) -> AIOKafkaProducer:
        """A client that knows nothing of ours."""
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.kafka_bootstrap, max_request_size=9_000_000)
        await producer.start()
        self._stack.push_async_callback(producer.stop)
        return producer

    async def committed(self, group: str, topic: str) -> int:
        """What the group has committed, over all partitions."""
        async with self._reader(group) as reader:
            found = [await reader.committed(p) for p in self._partitions(topic)]
        return sum(offset or 0 for offset in found)

    async def log(self, topic: str) -> list[Any]:
        """All records of a topic, partition by partition."""
        async with self._reader(None) as reader:
            partitions = self._partitions(topic)
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            found: dict[int, list[Any]] = {p.partition: [] for p in partitions}
            while any([await reader.position(p) < end for p, end in ends.items()]):
                for partition, records in (await reader.getmany(timeout_ms=100)).items():
                    found[partition.partition] += records
        return [record for records in found.values() for record in records]

    async def letters(self) -> list[dead_letters.DeadLetter]:
        """All that was refused, partition by partition."""
        return [dead_letters.read(record) for record in await self.log(DEAD_LETTERS.name)]

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self.settings.namespace + topic, n) for n in range(self.settings.partitions)]

    def _reader(self, group: str | None) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self.settings.kafka_bootstrap,
            group_id=self.settings.namespace + group if group else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=16_000_000,
        )


@pytest.fixture
async def rig(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        yield Rig(settings, stack)
