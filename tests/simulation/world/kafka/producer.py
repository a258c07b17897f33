"""The producer's side, shaped like aiokafka's producer with batches of the caller's own making."""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError

from tests.simulation.world.kafka.cluster import Cluster, Headers
from tests.simulation.world.loop import fail, settle
from tests.simulation.world.modelled import Modelled

LAG = (0.001, 0.02)
TIMEOUT = 0.5
MOST_IN_A_BATCH = 4


class SimulatedBatch(Modelled):
    """A batch that holds a few records only, so that rounds need several."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None, Headers]] = []

    def append(self, *, timestamp: None, key: bytes | None, value: bytes | None, headers: Headers) -> object | None:
        if len(self.records) == MOST_IN_A_BATCH:
            return None
        self.records.append((key, value, headers))
        return self

    def close(self) -> None:
        """Nothing more comes in."""


class SimulatedProducer(Modelled):
    """What of AIOKafkaProducer is used."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def start(self) -> None:
        await self._cluster.loop.lag(self._cluster.chance.uniform(*LAG))
        if self._cluster.away:
            raise KafkaConnectionError("the broker is away")

    async def stop(self) -> None:
        await self._cluster.loop.lag(self._cluster.chance.uniform(*LAG))

    async def partitions_for(self, topic: str) -> set[int]:
        return set(range(len(self._cluster.topic(topic))))

    def create_batch(self) -> SimulatedBatch:
        return SimulatedBatch()

    async def send_batch(self, batch: SimulatedBatch, topic: str, *, partition: int) -> asyncio.Future[Any]:
        """On its way; the future says what became of it, as far as the producer hears of it."""
        future = self._cluster.loop.create_future()
        arrival = self._cluster.loop.now + self._cluster.chance.uniform(*LAG)
        self._cluster.loop.outside_at(arrival, self._arrives, batch, topic, partition, future)
        return future

    def _arrives(self, batch: SimulatedBatch, topic: str, partition: int, future: asyncio.Future[Any]) -> None:
        loop, weather, chance = self._cluster.loop, self._cluster.weather, self._cluster.chance
        refused = KafkaTimeoutError()
        if self._cluster.away or weather.strikes("kafka.produce-refused"):
            loop.outside_at(loop.now + TIMEOUT, fail, future, refused)
        elif weather.strikes("kafka.batch-late"):
            loop.outside_at(loop.now + TIMEOUT, fail, future, refused)
            self._cluster.under_way += 1
            loop.outside_at(loop.now + chance.uniform(*self._cluster.late), self._written_late, batch, topic, partition)
        elif weather.strikes("kafka.ack-lost"):
            self._written(batch, topic, partition)
            loop.outside_at(loop.now + TIMEOUT, fail, future, refused)
        else:
            self._written(batch, topic, partition)
            settle(future)

    def _written_late(self, batch: SimulatedBatch, topic: str, partition: int) -> None:
        self._cluster.under_way -= 1
        self._written(batch, topic, partition)

    def _written(self, batch: SimulatedBatch, topic: str, partition: int) -> None:
        for key, value, headers in batch.records:
            self._cluster.append(topic, partition, key, value, headers)
