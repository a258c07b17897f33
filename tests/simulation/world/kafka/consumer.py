"""The consumer's side, shaped like FastStream's broker and subscriber around aiokafka's consumer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaConnectionError

from tests.simulation.world.kafka.cluster import Cluster, Group, Record, process_here
from tests.simulation.world.loop import Process
from tests.simulation.world.modelled import Modelled, NotModelled

PATIENCE_SECONDS = 1.0
FETCH = (0.001, 0.01)
Handler = Callable[[tuple[Record, ...]], Awaitable[None]]


class SimulatedConsumer(Modelled):
    """What of AIOKafkaConsumer is used. Positions belong to an assignment: a new one begins at what was committed."""

    def __init__(self, cluster: Cluster, group: Group, topics: Sequence[str], listener: Any) -> None:
        self.process: Process = process_here()
        self.topics = topics
        self._cluster = cluster
        self._group = group
        self._listener = listener
        self._generation = 0
        self._positions: dict[TopicPartition, int] = {}

    # The group's coordinator

    def told(self, generation: int, partitions: set[TopicPartition]) -> None:
        self.process.spawn(self._take_over(generation, partitions))

    async def _take_over(self, generation: int, partitions: set[TopicPartition]) -> None:
        if generation <= self._generation:
            return
        self._generation = generation
        await self._listener.on_partitions_revoked(set(self._positions))
        self._positions = {}
        await self._cluster.loop.lag(self._cluster.chance.uniform(*FETCH))
        if generation == self._generation:
            committed = self._group.committed
            self._positions = {place: committed.get(place, 0) for place in sorted(partitions)}
            await self._listener.on_partitions_assigned(set(self._positions))

    # What FastStream and the listener call

    def assignment(self) -> set[TopicPartition]:
        return set(self._positions)

    async def position(self, partition: TopicPartition) -> int:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned")
        return self._positions[partition]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        if partition not in self._positions:
            raise IllegalStateError(f"{partition} is not assigned")
        self._positions[partition] = offset

    def highwater(self, partition: TopicPartition) -> int | None:
        return len(self._log(partition)) if partition in self._positions else None

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        await self._cluster.loop.lag(self._cluster.chance.uniform(*FETCH))
        if self._cluster.away:
            raise KafkaConnectionError("the broker is away")
        return {partition: len(self._log(partition)) for partition in partitions}

    async def commit(self) -> None:
        """All positions, as FastStream asks for. Only members of the present generation may."""
        positions = dict(self._positions)
        await self._cluster.loop.lag(self._cluster.chance.uniform(*FETCH))
        if self._cluster.away or self._cluster.weather.strikes("kafka.commit-lost"):
            raise KafkaConnectionError("the broker is away")
        if self not in self._group.members or self._generation != self._group.generation:
            raise CommitFailedError("the group has moved on")
        self._group.committed |= positions

    async def getmany(self, most: int) -> list[Record]:
        if not self._waits():
            await self._cluster.grown(self.topics, PATIENCE_SECONDS)
        await self._cluster.loop.lag(self._cluster.chance.uniform(*FETCH))
        return self._fetched(most)

    def _waits(self) -> bool:
        """Whether there is anything to fetch."""
        return not self._cluster.away and any(len(self._log(p)) > first for p, first in self._positions.items())

    def _fetched(self, most: int) -> list[Record]:
        if self._cluster.away:
            return []
        found: list[Record] = []
        places = list(self._positions)
        self._cluster.chance.shuffle(places)
        for place in places:
            first = self._positions[place]
            records = self._log(place)[first : first + most - len(found)]
            self._positions[place] = first + len(records)
            found += records
        return found

    def _log(self, partition: TopicPartition) -> list[Record]:
        return self._cluster.topic(partition.topic)[partition.partition]


class SimulatedSubscriber(Modelled):
    """FastStream's batch subscriber: what the handler returns from is committed, what it fails on comes again."""

    def __init__(self, cluster: Cluster, group: str, topics: Sequence[str], most: int, listener: Any) -> None:
        self._cluster = cluster
        self._group = cluster.group(group)
        self._topics = topics
        self._most = most
        self._listener = listener
        self._handler: Handler | None = None
        self._stopping = False
        self._polling: Any = None
        self.consumer: SimulatedConsumer | None = None

    def __call__(self, handler: Handler) -> Handler:
        self._handler = handler
        return handler

    def start(self) -> None:
        self._stopping = False
        self.consumer = SimulatedConsumer(self._cluster, self._group, self._topics, self._listener)
        self._cluster.join(self._group, self.consumer)
        self._polling = self._cluster.loop.create_task(self._poll(self.consumer))

    async def stop(self) -> None:
        self._stopping = True
        if self._polling is not None:
            await self._polling
        if self.consumer is not None:
            self._cluster.leave(self._group, self.consumer)

    async def _poll(self, consumer: SimulatedConsumer) -> None:
        assert self._handler is not None, "a subscriber without a handler"
        while not self._stopping:
            records = await consumer.getmany(self._most)
            if not records:
                continue
            try:
                await self._handler(tuple(records))
            except Exception:  # noqa: BLE001 - NACK_ON_ERROR
                self._seek_back(consumer, records)
            else:
                await self._commit(consumer)

    def _seek_back(self, consumer: SimulatedConsumer, records: Sequence[Record]) -> None:
        earliest: dict[TopicPartition, int] = {}
        for record in records:
            earliest.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        try:
            for place, offset in earliest.items():
                consumer.seek(place, offset)
        except IllegalStateError:
            return  # FastStream logs it, and the other partitions are not sought either

    async def _commit(self, consumer: SimulatedConsumer) -> None:
        try:
            await consumer.commit()
        except (KafkaConnectionError, CommitFailedError):
            return  # FastStream logs it


class SimulatedBroker(Modelled):
    """What of FastStream's KafkaBroker is used."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._subscribers: list[SimulatedSubscriber] = []

    def subscriber(
        self, *topics: str, group_id: str, max_records: int, listener: Any, batch: bool, **_: Any
    ) -> SimulatedSubscriber:
        if not batch:
            raise NotModelled("a subscriber of single records")
        subscriber = SimulatedSubscriber(self._cluster, group_id, topics, max_records, listener)
        self._subscribers.append(subscriber)
        return subscriber

    async def connect(self) -> Self:
        await self._cluster.loop.lag(self._cluster.chance.uniform(*FETCH))
        if self._cluster.away:
            raise KafkaConnectionError("the broker is away")
        return self

    async def start(self) -> None:
        for subscriber in self._subscribers:
            subscriber.start()

    async def stop(self) -> None:
        for subscriber in self._subscribers:
            await subscriber.stop()
