"""State that was lost or spoilt comes back from the log as it was, and nobody's state is touched while they work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient

from deploy.local.drained import NotDrained
from deploy.local.rebuilding import Done, forget, reader, rebuild
from shared.contracts.interactions import SALES
from shared.settings import PlatformSettings
from tests.scoring.orders import synthetic_base
from tests.scoring.service import orders, records
from tests.waiting import eventually

pytestmark = pytest.mark.integration
BASE, _ = synthetic_base(60, 300, seed=5)


@pytest.fixture
async def database(settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Of scoring, which finds its servers in the environment."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("MONGO_URL", settings.mongo_url)
    monkeypatch.setenv("RAPPORT_NAMESPACE", settings.namespace)
    monkeypatch.setenv("RAPPORT_CLOCK", "stream")
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url) as client:
        yield client[f"{settings.namespace}rapport_scoring"]


async def told(settings: PlatformSettings) -> int:
    """Orders in the log; how many."""
    facts = records(orders(BASE))
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for topic, key, value, headers in facts:
            await producer.send(settings.namespace + topic, value, key, headers=list(headers))
        await producer.flush()
    return len(facts)


async def state(database: Any) -> dict[str, Any]:
    return {document["_id"]: document["days"] async for document in database["customers"].find({}, {"days": 1})}


async def test_a_state_that_was_spoilt_is_made_anew(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    count, heard = await told(settings), list[Done]()
    assert await rebuild("scoring", settings, heard.append) == count
    before = await state(database)
    assert before == {document: purchases.pack() for document, purchases in zip(sorted(before), BASE, strict=True)}

    await database["customers"].delete_one({"_id": min(before)})
    await database["customers"].update_one({"_id": max(before)}, {"$set": {"days": b""}})
    await database["customers"].insert_one({"_id": "nobody"})
    assert await rebuild("scoring", settings, heard.append) == count
    assert await state(database) == before
    assert (heard[-1].records, heard[-1].of, heard[-1].untold) == (count, count, 0)


async def test_who_has_put_positions_back_is_gone_at_once(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    """Three of four waited five minutes for the client's next look at the cluster."""
    partitions = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
    async with asyncio.timeout(60):
        for attempt in range(8):
            async with reader(settings.kafka_bootstrap, f"{settings.namespace}{attempt}") as consumer:
                await forget(database, "nobody", (), consumer, partitions)
            async with reader(settings.kafka_bootstrap, f"{settings.namespace}{attempt}") as consumer:
                assert {await consumer.committed(one) for one in partitions} == {0}


async def test_a_service_that_runs_is_left_alone(
    settings: PlatformSettings, topics: dict[str, int], database: Any
) -> None:
    await told(settings)
    await rebuild("scoring", settings, lambda _: None)
    before = await state(database)
    running = AIOKafkaConsumer(
        settings.namespace + SALES.name,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=f"{settings.namespace}scoring",
    )
    async with running:
        await eventually(lambda: joined(running), within=60)
        with pytest.raises(NotDrained, match="its service runs"):
            await rebuild("scoring", settings, lambda _: None)
    assert await state(database) == before


async def joined(consumer: AIOKafkaConsumer) -> bool:
    return bool(consumer.assignment())
