"""Partitions are added to what rests, and to nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from deploy.local import drained, topics as local_topics
from deploy.local.drained import NotDrained
from deploy.local.servers import Servers
from deploy.local.topics import UnequalPartitions
from shared.contracts.interactions import SALES
from shared.contracts.topics import ALL
from tests.waiting import eventually

pytestmark = pytest.mark.integration
GROUP = "shop"


@pytest.fixture
async def database(servers: Servers, namespace: str) -> AsyncIterator[Any]:
    async with AsyncMongoClient[dict[str, Any]](servers.mongo.url) as client:
        name = f"{namespace}rapport_shop"
        yield client[name]
        await client.drop_database(name)


async def unfinished(servers: Servers, namespace: str, *, stopped: bool = False) -> list[str]:
    return await drained.unfinished(servers.kafka.url, servers.mongo.url, namespace, stopped=stopped)


async def test_all_but_compacted_topics_are_enlarged_and_it_may_be_done_again(
    topics: dict[str, int], servers: Servers, namespace: str
) -> None:
    expected = {namespace + topic.name: 4 if topic.compacted else 6 for topic in ALL}
    for _ in range(2):
        assert await local_topics.enlarge(servers.kafka.url, namespace, 6) == expected
    assert await local_topics.create(servers.kafka.url, namespace, 6) == expected
    with pytest.raises(UnequalPartitions, match="cannot be taken away"):
        await local_topics.enlarge(servers.kafka.url, namespace, 5)


@pytest.mark.usefixtures("topics")
async def test_what_waits_in_any_partition_is_seen(servers: Servers, namespace: str, database: Any) -> None:
    topic = namespace + SALES.name
    await database["offsets"].insert_one({"_id": f"{GROUP}:{topic}:0", "next": 0})
    assert await unfinished(servers, namespace) == []
    async with AIOKafkaProducer(bootstrap_servers=servers.kafka.url) as producer:
        for partition in (0, 3):
            await producer.send_and_wait(topic, b"{}", partition=partition)
    behind = [f"{GROUP} is 1 records behind in partition {partition} of {topic}" for partition in (0, 3)]
    assert await unfinished(servers, namespace) == behind, "also where the group has not begun"
    for partition in (0, 3):
        await database["offsets"].replace_one({"_id": f"{GROUP}:{topic}:{partition}"}, {"next": 1}, upsert=True)
    assert await unfinished(servers, namespace) == []


@pytest.mark.usefixtures("topics")
async def test_what_has_not_been_told_is_seen(servers: Servers, namespace: str, database: Any) -> None:
    await database["outbox"].insert_one({"events": []})
    with pytest.raises(NotDrained, match="1 documents in its outbox"):
        await drained.require(servers.kafka.url, servers.mongo.url, namespace)


@pytest.mark.usefixtures("topics")
async def test_a_service_that_runs_is_seen(servers: Servers, namespace: str, database: Any) -> None:
    topic = namespace + SALES.name
    await database["offsets"].insert_one({"_id": f"{GROUP}:{topic}:0", "next": 0})
    async with AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka.url, group_id=namespace + GROUP):
        await database["offsets"].insert_one({"_id": f"another:{topic}:0", "next": 0})
        found = await unfinished(servers, namespace, stopped=True)
        assert found == [f"{namespace}{GROUP} has 1 members: its service runs"]
        assert await unfinished(servers, namespace) == []

    async def gone() -> bool:
        return await unfinished(servers, namespace, stopped=True) == []

    await eventually(gone)
