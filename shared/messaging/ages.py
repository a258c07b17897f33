"""What the log still has: anything older than a moment, a value under a key, all of a topic. Reads, and joins nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

from aiokafka import TopicPartition

from shared.contracts.fact import Topic
from shared.messaging.patient import PatientConsumer
from shared.messaging.received import Record
from shared.settings import PlatformSettings

RESTS = 3
"""While a topic is read from end to end, it rests so many times as long as it has taken: a quarter of a core at most."""


class Named(NamedTuple):
    """Of some keys, those under which a topic has a value."""

    values: set[str]
    """Also one that compaction will take away."""
    uncovered: set[str]
    """Those with no tombstone behind their last value: compaction will never take it away."""


class Log:
    """The topics of one platform."""

    def __init__(self, settings: PlatformSettings) -> None:
        self._settings = settings

    async def older(self, topics: Sequence[Topic], moment: datetime) -> list[str]:
        """Topics on which a record from before the moment is left, by the times of the log (`message.timestamp.type`).

        Raises LookupError for a topic that is not there.
        """
        names = {self._settings.namespace + topic.name: topic.name for topic in topics}
        async with self._reader(*names) as consumer:
            places = sorted(consumer.assignment())
            consumer.pause(*places)  # nothing of them is wanted but their ends
            if missing := names.keys() - {place.topic for place in places}:
                # Of a topic that nobody can see, nothing is proven.
                raise LookupError(f"no partitions of {', '.join(sorted(missing))}")
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            asked = dict.fromkeys(places, int(moment.timestamp() * 1000))
            first = await consumer.offsets_for_times(asked)
        found = set()
        for place in places:
            since = first[place]
            newer = since.offset if since is not None else ends[place]
            if begins[place] < newer:
                found.add(names[place.topic])
        return sorted(found)

    async def named(self, topic: Topic, keys: Collection[str]) -> Named:
        """Which of the keys have a value there. A key's records are in one partition, so in order."""
        wanted = {key.encode() for key in keys}
        values: set[bytes] = set()
        lives: dict[bytes, bool] = {}
        async for records in self.records(topic, rests=RESTS):
            own = {record.key: record.value is not None for record in records if record.key in wanted}
            values |= {record.key for record in records if record.value is not None and record.key in own}
            lives |= own
        uncovered = {key.decode() for key, alive in lives.items() if alive}
        return Named({key.decode() for key in values}, uncovered)

    async def records(self, topic: Topic, rests: float = 0.0) -> AsyncIterator[Sequence[Record]]:
        """In pieces, each of one partition, all records that the topic has now, also those that compaction will take away.
        After each look at the log it rests so many times as long as that took.
        """
        async with self._reader(self._settings.namespace + topic.name) as consumer:
            places = sorted(consumer.assignment())
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                began = time.monotonic()
                for records in (await consumer.getmany(*places, timeout_ms=500)).values():
                    yield records
                await asyncio.sleep(rests * min(1.0, time.monotonic() - began))

    async def written(self, topic: Topic) -> int:
        """How many records the topic was ever given, those that are gone included."""
        async with self._reader(self._settings.namespace + topic.name) as consumer:
            places = sorted(consumer.assignment())
            consumer.pause(*places)
            ends: Mapping[TopicPartition, int] = await consumer.end_offsets(places)
            return sum(ends.values())

    @asynccontextmanager
    async def _reader(self, *topics: str) -> AsyncIterator[PatientConsumer]:
        # Without a group, from the earliest: as `table` does, and for its reasons.
        consumer = PatientConsumer(
            *topics,
            bootstrap_servers=self._settings.kafka_bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()


CLOCKS = timedelta(minutes=5)
"""The broker's clock and ours may differ by so much."""
