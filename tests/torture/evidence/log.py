"""The topics, read from their beginning to where they end now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.torture.judge.inbound import Record

SECONDS = 20.0
"""Without a record for so long, although there must be one, reading is given up."""

Ends = dict[tuple[str, int], int]
"""(topic, partition) -> the offset of the next record."""


class NotRead(Exception):
    """The log could not be read to its end: nothing can be judged."""


class Log:
    """One broker."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=16 * 1_048_576,
            max_partition_fetch_bytes=4 * 1_048_576,
        )

    async def ends(self, topics: Sequence[str]) -> Ends:
        """Where each partition ends."""
        consumer = self._consumer()
        await consumer.start()
        try:
            found = await consumer.end_offsets(await partitions(consumer, topics))
        finally:
            await consumer.stop()
        return {(place.topic, place.partition): end for place, end in found.items()}

    async def records(self, topics: Sequence[str], until: Ends | None = None) -> AsyncIterator[Record]:
        """All records, each partition's in order, as they are now or were when the partitions ended at `until`. Raises
        NotRead.
        """
        consumer = self._consumer()
        await consumer.start()
        try:
            places = await partitions(consumer, topics)
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            if until is not None:
                ends = {place: until.get((place.topic, place.partition), 0) for place in places}
            waiting = {place for place, end in ends.items() if end > await consumer.position(place)}
            while waiting:
                batch = await consumer.getmany(*waiting, timeout_ms=int(SECONDS * 1000), max_records=5_000)
                if not batch:
                    raise NotRead(f"no record for {SECONDS:.0f} s in {sorted(waiting)}")
                for place, records in batch.items():
                    for record in records:
                        if record.offset >= ends[place]:
                            break
                        headers = dict(record.headers)
                        yield Record(place.topic, place.partition, record.offset, record.key, record.value, headers)
                waiting = {place for place in waiting if await consumer.position(place) < ends[place]}
        finally:
            await consumer.stop()


async def partitions(consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    found = []
    for topic in topics:
        # Asked of the broker, because a consumer without subscriptions knows of no topic.
        await consumer._client.add_topic(topic)
        numbers = consumer._client.cluster.partitions_for_topic(topic)
        if not numbers:
            raise NotRead(f"the broker knows of no topic {topic}")
        found += [TopicPartition(topic, number) for number in sorted(numbers)]
    return found
