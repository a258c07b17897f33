"""Reads the platform's domain topics beside it, and notes when which customer's fact was there to be read.

A fact is in its topic after the transaction that made it true has been committed, so these times are upper bounds of
"stored" and "score visible".
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

SALES, INTERACTIONS, SCORES = "crm.sales", "crm.interactions", "crm.scores"
TOPICS = (SALES, INTERACTIONS, SCORES)
PURCHASES = re.compile(rb'"purchases":(\d+)')
WAIT_MS = 200


class Watch:
    """What has come since it was entered: for each topic (time, customer id, purchases as of the score)."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=WAIT_MS,
        )
        self.seen: dict[str, list[tuple[float, bytes, int]]] = {topic: [] for topic in TOPICS}

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(await self._partitions())
        await self._consumer.seek_to_end()
        for partition in self._consumer.assignment():
            await self._consumer.position(partition)
        self._reading = asyncio.create_task(self._read())
        return self

    async def _partitions(self) -> list[TopicPartition]:
        await self._consumer._client.set_topics(TOPICS)
        cluster = self._consumer._client.cluster
        return [
            TopicPartition(topic, number) for topic in TOPICS for number in cluster.partitions_for_topic(topic) or ()
        ]

    async def _read(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=1000)
            now = time.monotonic()
            for partition, records in batches.items():
                self._note(partition.topic, records, now)

    def _note(self, topic: str, records: list[Any], now: float) -> None:
        seen = self.seen[topic]
        for record in records:
            purchases = PURCHASES.search(record.value) if topic == SCORES and record.value else None
            seen.append((now, record.key or b"", int(purchases[1]) if purchases else 0))

    async def __aexit__(self, *_: object) -> None:
        self._reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reading
        await self._consumer.stop()
