"""Where a consumer group is that nobody is in: the ends of what it hears, and how much of it has not had its effect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contracts.fact import Topic
from shared.contracts.topics import REPLAYS
from shared.settings import PlatformSettings

Database = Any


class Hearing(NamedTuple):
    """Of a consumer group: who asks for the log's ends, and the partitions."""

    name: str
    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]


@asynccontextmanager
async def hearing(group: str, topics: Iterable[Topic], settings: PlatformSettings) -> AsyncIterator[Hearing]:
    """What the group hears on these topics, and is told again."""
    names = [settings.namespace + topic.name for topic in (*topics, REPLAYS)]
    async with reader(settings.kafka_bootstrap, settings.namespace + group) as consumer:
        yield Hearing(group, consumer, await partitions_of(consumer, names))


@asynccontextmanager
async def reader(bootstrap: str, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Looks at the log's ends, and commits in the name of a group that nobody is in."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, topics: list[str]) -> list[TopicPartition]:
    # Subscribing would join the group.
    await consumer._client.set_topics(topics)  # noqa: SLF001
    return [TopicPartition(topic, n) for topic in topics for n in sorted(consumer.partitions_for_topic(topic) or ())]


async def left(database: Database, group: Hearing) -> int:
    """Records that the group has not taken: each group reads past what was told to the others."""
    names = [position(group.name, place) for place in group.partitions]
    taken: int = sum(
        [document["next"] async for document in database["offsets"].find({"_id": {"$in": names}}, {"next": 1})]
    )
    ends: Mapping[TopicPartition, int] = await group.consumer.end_offsets(group.partitions)
    return sum(ends.values()) - taken


def position(group: str, place: TopicPartition) -> str:
    """The guarded offset's document."""
    return f"{group}:{place.topic}:{place.partition}"
