"""Records to the broker: many at once, acknowledged by all replicas, each partition's in order and without holes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared import metrics
from shared.messaging import connection
from shared.messaging.outbox import Outgoing
from shared.settings import PlatformSettings

BATCH_BYTES = 512 * 1024
FLUSH_SECONDS = 5.0


class Producer:
    """Publishes in rounds: at most one Kafka batch per partition on its way, so a failure can leave no hole in a
    partition's order: what follows a lost batch is not sent before that batch is.

    aiokafka's own `send` keeps order only while nothing fails; its `send_batch` also costs a seventh of the CPU.
    """

    def __init__(self, service: str, settings: PlatformSettings) -> None:
        self._service = service
        self._namespace = settings.namespace
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._spoilt: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        self._producer = await self._connect()

    async def stop(self) -> None:
        if self._producer is not None:
            await _close(self._producer)
            self._producer = None

    @property
    def started(self) -> bool:
        return self._producer is not None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Returns when the broker has all of them. Raises KafkaError if it may lack some."""
        producer = await self._working()
        queues = await self._by_partition(producer, records)
        while queues:
            sent = []
            for place in list(queues):
                batch = _batch(producer, queues[place])
                if not queues[place]:
                    del queues[place]
                sent.append(await producer.send_batch(batch, place[0], partition=place[1]))
            await self._acknowledged(producer, sent)
        for topic, count in _counts(records).items():
            metrics.PUBLISHED.labels(self._service, topic).inc(count)

    async def _acknowledged(self, producer: AIOKafkaProducer, sent: Sequence[asyncio.Future[object]]) -> None:
        await asyncio.wait(sent)  # unlike gather, it leaves the producer's futures alone when we are cancelled
        for future in sent:
            if error := future.exception():
                self._spoilt = producer
                raise error

    async def _working(self) -> AIOKafkaProducer:
        """After a refused batch aiokafka goes on counting, so that an idempotent producer is refused for ever after."""
        async with self._renewing:
            assert self._producer is not None, "start the producer first"
            if self._spoilt is self._producer:
                spoilt, self._producer = self._producer, await self._connect()
                await _close(spoilt)
            return self._producer

    async def _connect(self) -> AIOKafkaProducer:
        connection.install()
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap,
            client_id=f"rapport-{self._service}-{self._settings.instance}",
            acks="all",
            enable_idempotence=self._settings.kafka_idempotence,
            max_batch_size=BATCH_BYTES,
            max_request_size=16 * 1_048_576,
            request_timeout_ms=15_000,
        )
        try:
            await producer.start()
        except BaseException:
            await _close(producer)
            raise
        return producer

    async def _by_partition(
        self, producer: AIOKafkaProducer, records: Sequence[Outgoing]
    ) -> dict[tuple[str, int], list[Outgoing]]:
        """Each partition's records, last first, so that they can be taken from the end."""
        partitions: dict[str, int] = {}
        queues: dict[tuple[str, int], list[Outgoing]] = {}
        for position, record in enumerate(reversed(records)):
            topic = self._namespace + record.topic
            if topic not in partitions:
                partitions[topic] = len(await producer.partitions_for(topic))
            count = partitions[topic]
            partition = position % count if record.key is None else partition_of(record.key, count)
            queues.setdefault((topic, partition), []).append(record)
        return queues


def _batch(producer: AIOKafkaProducer, queue: list[Outgoing]) -> BatchBuilder:
    """As many records from the end of the queue as one Kafka batch holds, which is one at least."""
    batch = producer.create_batch()
    while queue:
        record = queue[-1]
        if batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers)) is None:
            break
        queue.pop()
    batch.close()
    return batch


async def _close(producer: AIOKafkaProducer) -> None:
    """An idempotent producer never gives up what it has been given; when the broker is away, we do."""
    stopping = asyncio.create_task(producer.stop())
    await asyncio.wait([stopping], timeout=FLUSH_SECONDS)
    if stopping.done():
        await stopping
        return
    stopping.cancel()
    await asyncio.wait([stopping])
    # What `stop` would do next. In this order, because the sender may not find its batches ended by somebody else.
    await producer._sender.close()  # noqa: SLF001
    producer._message_accumulator.fail_all(KafkaConnectionError("stopped"))  # noqa: SLF001
    await producer.client.close()


@functools.lru_cache(maxsize=100_000)
def partition_of(key: bytes, partitions: int) -> int:
    """Where Kafka's clients put a key: murmur2, as in the Java client. Cached: in Python it costs as much as sending."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions  # type: ignore[no-any-return]


def _counts(records: Sequence[Outgoing]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in records:
        counts[record.topic] = counts.get(record.topic, 0) + 1
    return counts
