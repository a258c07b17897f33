"""Whether nothing is under way: no service runs, everything in the topics has had its effect, all is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from pymongo import AsyncMongoClient

from deploy.local.errors import CannotStart

COORDINATOR_SECONDS = 30.0
"""A new broker takes a while until it knows who looks after groups."""
DATABASES = "rapport_"
"""How the services' databases begin, after the namespace."""
Positions = dict[tuple[str, TopicPartition], int]
"""(consumer group without namespace, partition) -> the first offset that has not had its effect."""


class NotDrained(CannotStart):
    """Something is still under way; the message says what."""


async def require(kafka: str, mongo: str, namespace: str) -> None:
    if found := await unfinished(kafka, mongo, namespace, stopped=True):
        raise NotDrained("not everything is drained:\n" + "\n".join(f"  {line}" for line in found))


async def unfinished(kafka: str, mongo: str, namespace: str, *, stopped: bool) -> list[str]:
    """What is still under way, a line each. With `stopped`, services that run count too."""
    async with AsyncMongoClient[dict[str, Any]](mongo, serverSelectionTimeoutMS=5000) as client:
        positions, untold = await _state(client, namespace)
    lines = [f"{name} has {count} documents in its outbox" for name, count in untold.items() if count]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        lines += await _behind(kafka, admin, positions)
        if stopped:
            lines += await running(admin, sorted({namespace + group for group, _ in positions}))
    finally:
        await admin.close()
    return sorted(lines)


async def untold_or_running(
    kafka: str, mongo: str, namespace: str, *, groups: Iterable[str] = (), but_for: str | None = None
) -> list[str]:
    """What could still tell something, a line each. `groups` are looked at too where no database knows of them any more;
    `but_for` is a database whose outbox does not count.
    """
    async with AsyncMongoClient[dict[str, Any]](mongo, serverSelectionTimeoutMS=5000) as client:
        positions, untold = await _state(client, namespace)
    untold.pop(but_for or "", None)
    lines = [f"{name} has {count} documents in its outbox" for name, count in untold.items() if count]
    known = {*groups, *(group for group, _ in positions)}
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        return sorted(lines + await running(admin, sorted(namespace + group for group in known)))
    finally:
        await admin.close()


async def _state(client: AsyncMongoClient[dict[str, Any]], namespace: str) -> tuple[Positions, dict[str, int]]:
    positions: Positions = {}
    untold: dict[str, int] = {}
    for name in await client.list_database_names():
        if not name.startswith(namespace + DATABASES):
            continue
        untold[name] = await client[name]["outbox"].count_documents({})
        async for document in client[name]["offsets"].find():
            group, topic, partition = document["_id"].rsplit(":", 2)
            positions[group, TopicPartition(topic, int(partition))] = document["next"]
    return positions, untold


async def _behind(kafka: str, admin: AIOKafkaAdminClient, positions: Positions) -> list[str]:
    """Partitions in which records wait, those that a group has not begun with included."""
    listened = sorted({(group, partition.topic) for group, partition in positions})
    sizes = await _sizes(admin, sorted({topic for _, topic in listened}))
    wanted = [(group, TopicPartition(topic, number)) for group, topic in listened for number in range(sizes[topic])]
    if not wanted:
        return []
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(sorted({place for _, place in wanted}))
    finally:
        await consumer.stop()
    return [
        f"{group} is {behind} records behind in partition {place.partition} of {place.topic}"
        for group, place in wanted
        if (behind := ends[place] - positions.get((group, place), 0)) > 0
    ]


async def _sizes(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    described = await admin.describe_topics(names) if names else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def running(admin: AIOKafkaAdminClient, groups: list[str]) -> list[str]:
    # One at a time: aiokafka reads the answer about several by the wrong version's rules.
    answers = [answer for group in groups for answer in await _described(admin, group)]
    described = [group for answer in answers for group in answer.groups]
    return [
        f"{name} has {len(members)} members: its service runs" for _, name, _, _, _, members, *_ in described if members
    ]


async def _described(admin: AIOKafkaAdminClient, group: str) -> list[Any]:
    async with asyncio.timeout(COORDINATOR_SECONDS):
        while True:
            try:
                found: list[Any] = await admin.describe_consumer_groups([group])
            except GroupCoordinatorNotAvailableError:
                await asyncio.sleep(0.2)
            else:
                return found
