"""How records arrive: a FastStream batch subscriber around a `Consumer`, with its traps closed.

- `NACK_ON_ERROR` on the subscriber itself, the only policy that loses nothing, and never inherited;
- a parser of our own, because the stock one decodes headers and skips a whole batch at a null or binary one;
- range assignment, so that equal partitions of all topics, and with them one customer's events, come to one instance;
- a back-off in the handler, because a refused batch comes again at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage
from pymongo.errors import PyMongoError

from shared import metrics
from shared.contracts.topics import REPLAYS
from shared.logging import whereabouts
from shared.messaging.backoff import Backoff
from shared.messaging.consumer import Consumer, TooManyDeadLetters
from shared.messaging.offsets import Partition
from shared.messaging.progress import Progress
from shared.messaging.received import Record
from shared.settings import PlatformSettings
from shared.waiting import happens

log = structlog.get_logger()
POLL_MS = 1
"""What FastStream asks for; how long a poll really waits is `patient`'s business."""
MAX_POLL_INTERVAL_MS = 600_000
FETCH_PARTITION_BYTES = 4 * 1_048_576
WATCH_SECONDS = 2.0


class Listener:
    """One subscription's connection to the broker."""

    def __init__(self, consumer: Consumer, broker: KafkaBroker, settings: PlatformSettings) -> None:
        self.progress = Progress(settings.stuck_after_seconds, time.monotonic())
        self._consumer = consumer
        self._namespace = len(settings.namespace)
        self._backoff = Backoff()
        self._stopping = asyncio.Event()
        self._sought: dict[Partition, int] = {}
        names = [topic.name for topic in consumer.subscription.topics]
        if not consumer.subscription.raw:
            names.append(REPLAYS.name)
        self._subscriber = broker.subscriber(
            *(settings.namespace + name for name in names),
            group_id=consumer.group,
            # Under its old name a killed instance has its partitions back as soon as it runs again.
            group_instance_id=settings.instance if settings.lasting_name else None,
            batch=True,
            max_records=settings.batch_records,
            batch_timeout_ms=POLL_MS,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            parser=self._parse,
            decoder=_as_it_is,
            no_reply=True,
            partition_assignment_strategy=(RangePartitionAssignor,),
            listener=_Assigned(self),
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 4,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            max_partition_fetch_bytes=FETCH_PARTITION_BYTES,
        )
        self._subscriber(self._handle)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        for partition in partitions:
            metrics.LAG.labels(self._consumer.subscription.group, partition.topic, partition.partition).set(0)

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Go where our own positions are. Kafka's may lie ahead of them: the database was restored, or emptied in order
        to build it anew, and a partition in which nothing new happens would never be looked at.
        """
        offsets, group = self._consumer.offsets, self._consumer.subscription.group
        offsets.forget()
        self._sought.clear()
        self._client.gather_ms = self._consumer.subscription.gather_ms
        log.info("partitions_assigned", group=group, partitions=sorted(f"{p.topic}:{p.partition}" for p in partitions))
        try:
            positions = await offsets.stored([tuple(partition) for partition in partitions])
        except PyMongoError as error:  # then Kafka's are good enough to begin with; gaps are noticed when records come
            log.warning("positions_not_read", group=group, error=type(error).__name__)
            return
        for partition in partitions:
            self._client.seek(partition, positions[tuple(partition)])

    async def _parse(self, records: tuple[Record, ...], _original: Any) -> KafkaAckableMessage:
        return KafkaAckableMessage(
            body=b"", raw_message=records, headers={}, message_id="", correlation_id="", consumer=self._client
        )

    async def _handle(self, records: tuple[Record, ...]) -> None:
        """Raising makes FastStream seek back to the first record; returning makes it commit."""
        self.progress.began(time.monotonic())
        group = self._consumer.subscription.group
        try:
            firsts = _firsts(records)
            await self._consumer.offsets.load(list(firsts))
            await self._begin_again_where_the_log_is_new(firsts)
            await self._consumer.process(await self._without_gaps(records, firsts))
        except Exception as error:
            self._sought.clear()
            self._fail(error)
            metrics.BATCH_FAILURES.labels(group, type(error).__name__).inc()
            wait = self._backoff.next()
            log.warning(
                "batch_failed", group=group, error=type(error).__name__, at=whereabouts(error), retry_in=round(wait, 2)
            )
            await self._pause(wait)
            raise
        self.progress.ended(time.monotonic(), failed=False)
        self.progress.halted = False
        metrics.HALTED.labels(group).set(0)
        self._backoff.reset()

    def _fail(self, error: Exception) -> None:
        self.progress.ended(time.monotonic(), failed=True)
        self.progress.halted = isinstance(error, TooManyDeadLetters)
        metrics.HALTED.labels(self._consumer.subscription.group).set(self.progress.halted)

    async def _pause(self, seconds: float) -> None:
        """Between attempts, but not longer than until we are told to stop."""
        await happens(self._stopping, within=seconds)

    async def _begin_again_where_the_log_is_new(self, places: Iterable[Partition]) -> None:
        for place in places:
            partition = TopicPartition(*place)
            end = self._client.highwater(partition)
            if end is None or not self._consumer.offsets.beyond(place, end):
                continue
            # The end we know may be older than the position: another instance may have been at work. So ask again.
            self._consumer.offsets.forget()
            await self._consumer.offsets.load([place])
            end = (await self._client.end_offsets([partition]))[partition]
            if await self._consumer.offsets.restart(place, end):
                group = self._consumer.subscription.group
                log.warning("log_was_made_anew", group=group, topic=place[0], partition=place[1])
            await self._consumer.offsets.load(list(places))

    async def _without_gaps(self, records: Sequence[Record], firsts: dict[Partition, int]) -> Sequence[Record]:
        """Where a partition goes on after our position, go back to it; if it does so again, there is nothing between.

        Kafka's offsets are but a hint: aiokafka moves past what came together with a record that it could not decode,
        and a database that was restored from a backup is behind what it had committed.
        """
        positions = {place: self._consumer.offsets.next(place) for place in firsts}
        gaps = {p: positions[p] for p, first in firsts.items() if first > positions[p] != self._sought.get(p)}
        for place, position in gaps.items():
            log.warning("gap_in_the_log", topic=place[0], partition=place[1], begins=position, ends=firsts[place])
            self._client.seek(TopicPartition(*place), position)
        self._sought |= gaps
        return [r for r in records if (r.topic, r.partition) not in gaps] if gaps else records

    @property
    def _client(self) -> AIOKafkaConsumer:
        client = self._subscriber.consumer
        assert client is not None, "records come from a started consumer"
        return client

    def stop(self) -> None:
        self._stopping.set()

    async def watch(self) -> None:
        """Measure the lag, and tell `progress` when there is nothing to do or nobody to ask."""
        patience = min(10.0, self.progress.stuck_after / 4)
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(patience):
                    waiting = await self._lag()
            except (KafkaError, TimeoutError, OSError):
                self.progress.idle(time.monotonic())
            except Exception as error:  # noqa: BLE001 - a watch that ends would make an idle consumer look stuck
                group = self._consumer.subscription.group
                log.error("watch_failed", group=group, error=type(error).__name__, at=whereabouts(error))
                self.progress.idle(time.monotonic())
            else:
                if waiting == 0:
                    self.progress.idle(time.monotonic())
            await self._pause(WATCH_SECONDS)

    async def _lag(self) -> int:
        client = self._subscriber.consumer
        if client is None or not (assigned := client.assignment()):
            return 0
        waiting = 0
        for partition, end in (await client.end_offsets(list(assigned))).items():
            behind = max(0, end - await client.position(partition))
            waiting += behind
            topic = partition.topic[self._namespace :]
            metrics.LAG.labels(self._consumer.subscription.group, topic, partition.partition).set(behind)
        return waiting


def _firsts(records: Sequence[Record]) -> dict[Partition, int]:
    """The first offset of each partition. Records of one come in a row, so that only its borders need a look."""
    firsts: dict[Partition, int] = {}
    topic, partition = "", -1
    for record in records:
        if record.partition != partition or record.topic != topic:
            topic, partition = record.topic, record.partition
            firsts.setdefault((topic, partition), record.offset)
    return firsts


async def _as_it_is(message: KafkaAckableMessage) -> Any:
    return message.raw_message


class _Assigned(ConsumerRebalanceListener):  # type: ignore[misc]
    """Partitions that come and go have positions that others may have moved."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._listener.revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        await self._listener.assigned(assigned)
