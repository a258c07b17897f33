"""Creates the platform's topics and checks those that exist. Services never create topics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from deploy.local.errors import CannotStart
from shared.contracts import topics as contracts
from shared.contracts.fact import Topic

VISIBLE_SECONDS = 30
FOREVER = "-1"
SEGMENT = 24 * 3600 * 1000
COMPACTED_WITHIN = 7 * 24 * 3600 * 1000
"""Of compacted topics, after so long at most only the newest value of a key is left, and nothing of a key that ended."""


class UnequalPartitions(CannotStart):
    """Topics that belong together are cut into different numbers of partitions."""


async def create(
    bootstrap: str,
    namespace: str,
    partitions: int,
    topics: Sequence[Topic] = contracts.ALL,
    replication: int = 1,
) -> dict[str, int]:
    """Create what is missing; returns every topic with its partitions. Safe to run again."""
    wanted = [
        NewTopic(namespace + topic.name, partitions, replication, topic_configs=config(topic)) for topic in topics
    ]
    async with admin_of(bootstrap) as admin:
        response = await admin.create_topics(wanted)
        _check(response, allowed=(TopicAlreadyExistsError,))
        found = await _visible(admin, [topic.name for topic in wanted])
    free = {namespace + topic.name for topic in topics if topic.compacted}
    if unequal := {name: count for name, count in found.items() if count != partitions and name not in free}:
        listed = ", ".join(f"{name} has {count}" for name, count in sorted(unequal.items()))
        raise UnequalPartitions(
            f"every topic must have {partitions} partitions, so that one customer's facts meet in one place, but "
            f"{listed}. Set RAPPORT_PARTITIONS to what is there, or start anew with `rapport down --wipe`."
        )
    return found


async def enlarge(
    bootstrap: str, namespace: str, partitions: int, topics: Sequence[Topic] = contracts.ALL
) -> dict[str, int]:
    """Add partitions to the topics, all but the compacted ones; returns every topic with its partitions.

    Keys move to other partitions, so nothing may be under way: see `drained`. Safe to run again after a failure.
    """
    kept = {namespace + topic.name for topic in topics if topic.compacted}
    async with admin_of(bootstrap) as admin:
        before = await _visible(admin, [namespace + topic.name for topic in topics])
        small = {name: count for name, count in before.items() if name not in kept and count < partitions}
        if large := [name for name, count in before.items() if name not in kept and count > partitions]:
            raise UnequalPartitions(f"partitions cannot be taken away; these have more already: {', '.join(large)}")
        if small:
            response = await admin.create_partitions({name: NewPartitions(partitions) for name in small})
            _check(response, allowed=())
        return await _visible(admin, list(before), at_least=dict.fromkeys(small, partitions))


async def delete(bootstrap: str, namespace: str, topics: Sequence[Topic] = contracts.ALL) -> None:
    async with admin_of(bootstrap) as admin:
        response = await admin.delete_topics([namespace + topic.name for topic in topics])
        _check(response, allowed=(UnknownTopicOrPartitionError,))


def config(topic: Topic) -> dict[str, str]:
    """How the log keeps a topic, in the broker's words."""
    retention = FOREVER if topic.retention is None else str(int(topic.retention.total_seconds() * 1000))
    compaction = {"max.compaction.lag.ms": str(COMPACTED_WITHIN)} if topic.compacted else {}
    return compaction | {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": retention,
        # What is kept goes by whole segments. With Kafka's own week a record would stay for a week longer.
        "segment.ms": str(SEGMENT),
        # A writer whose clock is ahead must not keep its records, or their proof of age, beyond what was promised.
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": str(topic.max_message_bytes),
        # Whatever a channel system compresses with, the broker undoes: we could not read snappy, lz4 or zstd, and one
        # such batch would stop its partition for ever.
        "compression.type": "uncompressed",
    }


class admin_of:  # noqa: N801 - reads as the action that it is
    """An admin client, started and closed."""

    def __init__(self, bootstrap: str) -> None:
        self.client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self.client.start()
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


def _check(response: Any, allowed: tuple[type[Exception], ...]) -> None:
    answers = response.to_object()
    for answer in answers.get("topic_errors") or answers.get("topic_error_codes") or ():
        error = for_code(answer["error_code"])
        if error is not NoError and not issubclass(error, allowed):
            raise CannotStart(f"topic {answer['topic']}: {error.__name__} {answer.get('error_message') or ''}".strip())


async def _visible(
    admin: AIOKafkaAdminClient, names: Sequence[str], at_least: Mapping[str, int] | None = None
) -> dict[str, int]:
    """What is created takes a moment until the broker shows it with a leader for each partition."""
    wanted = at_least or {}
    async with asyncio.timeout(VISIBLE_SECONDS):
        while True:
            described = {topic["topic"]: topic for topic in await admin.describe_topics(list(names))}
            if all(_led(described.get(name), wanted.get(name, 1)) for name in names):
                return {name: len(described[name]["partitions"]) for name in names}
            await asyncio.sleep(0.05)


def _led(topic: dict[str, Any] | None, partitions: int) -> bool:
    if topic is None or topic["error_code"] or len(topic["partitions"]) < partitions:
        return False
    return all(partition["leader"] >= 0 for partition in topic["partitions"])
