"""A compacted topic as a table in memory, read from the real broker."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher

from shared.contracts.fact import Fact
from shared.contracts.sync import ACCESS, KeyRevoked
from shared.messaging import CloudEvent
from shared.messaging.producer import partition_of
from shared.messaging.table import Table
from tests.fuzz.batches import Raw, hostile_producer, send
from tests.messaging.conftest import Rig
from tests.waiting import eventually

pytestmark = pytest.mark.integration


def revoked(key_id: str) -> Raw:
    fact = KeyRevoked(key_id=key_id, revoked_at=datetime.now(UTC))
    data = fact.model_dump_json().encode()
    event = CloudEvent(id=key_id, source="/rapport/sync", type=fact.TYPE, data=data)
    return Raw(data, key_id.encode(), tuple((name.encode(), value) for name, value in event.headers()))


async def test_a_record_that_nobody_can_decode_keeps_no_fact_from_the_table(rig: Rig) -> None:
    producer = hostile_producer(rig.settings.kafka_bootstrap)
    await producer.start()
    topic, told = rig.settings.namespace + ACCESS.name, list[str]()
    unreadable = Raw(b"{}", b"k", ((b"\xff\xfe", b"1"),))
    partition = partition_of(b"k", rig.settings.partitions)

    def hear(fact: Fact) -> None:
        told.append(fact.model_dump()["key_id"])

    table = Table(ACCESS, hear, rig.settings)
    reading = asyncio.create_task(table.run())
    try:
        await send(producer, topic, partition, [revoked("before"), unreadable, revoked("after")], "none")
        await eventually(lambda: told == ["before", "after"])
        await eventually(table.complete.is_set)
    finally:
        table.stop()
        await reading
        await producer.stop()


async def test_what_was_told_before_the_start_is_read_however_late_the_broker_says_where_it_is(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question for the latest that is on its way while the earliest is sought wins, and all is skipped."""
    ask, seek = Fetcher._proc_offset_request, AIOKafkaConsumer.seek_to_beginning
    told, asked = list[str](), asyncio.Event()

    async def slowly(self: Fetcher, *question: Any) -> Any:
        asked.set()
        answer = await ask(self, *question)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.3)
        return answer

    async def meanwhile(self: AIOKafkaConsumer, *partitions: Any) -> Any:
        await asked.wait()
        return await seek(self, *partitions)

    monkeypatch.setattr(Fetcher, "_proc_offset_request", slowly)
    monkeypatch.setattr(AIOKafkaConsumer, "seek_to_beginning", meanwhile)
    producer = hostile_producer(rig.settings.kafka_bootstrap)
    await producer.start()
    topic, partition = rig.settings.namespace + ACCESS.name, partition_of(b"early", rig.settings.partitions)
    await send(producer, topic, partition, [revoked("early")], "none")
    table = Table(ACCESS, lambda fact: told.append(fact.model_dump()["key_id"]), rig.settings)
    reading = asyncio.create_task(table.run())
    try:
        await eventually(table.complete.is_set)
        assert told == ["early"]
    finally:
        table.stop()
        await reading
        await producer.stop()
