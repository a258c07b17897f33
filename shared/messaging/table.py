"""A compacted topic as a table in memory: every instance reads all of it, and goes on reading."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from aiokafka.errors import KafkaError

from shared.contracts.fact import Fact, Topic
from shared.logging import whereabouts
from shared.messaging.backoff import Backoff
from shared.messaging.patient import PatientConsumer
from shared.messaging.received import Intake, Rules
from shared.settings import PlatformSettings
from shared.waiting import happens

log = structlog.get_logger()


class Table:
    """Feeds `apply` with every fact of the topic, from the first on; applying one twice must change nothing."""

    def __init__(self, topic: Topic, apply: Callable[[Fact], None], settings: PlatformSettings) -> None:
        self._topic = settings.namespace + topic.name
        self._rules = Rules(topic.name, topic.types, frozenset(), True, topic.max_message_bytes, False)
        self._apply = apply
        self._settings = settings
        self._stopping = asyncio.Event()
        self.complete = asyncio.Event()
        """Set once everything that was in the topic at the start has been applied."""

    async def run(self) -> None:
        backoff = Backoff(most=5.0)
        while not self._stopping.is_set():
            try:
                await self._read(backoff)
            except Exception as error:  # noqa: BLE001 - a table that nobody fills any more would go unnoticed
                wait = backoff.next()
                level = log.warning if isinstance(error, KafkaError | OSError) else log.error
                name, place = type(error).__name__, whereabouts(error)
                level("table_failed", topic=self._topic, retry_in=round(wait, 2), error=name, at=place)
                await happens(self._stopping, within=wait)

    def stop(self) -> None:
        self._stopping.set()

    async def _read(self, backoff: Backoff) -> None:
        # Named at the start and without a group: it gets all partitions, or fails if the topic is not there yet.
        # From the earliest by itself: seeking there instead would be undone by the answer to an earlier question for
        # the latest, if that answer comes late, and everything told so far would be skipped.
        consumer = PatientConsumer(
            self._topic,
            bootstrap_servers=self._settings.kafka_bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            while not self._stopping.is_set():
                for records in (await consumer.getmany(*partitions, timeout_ms=500)).values():
                    intake = Intake()
                    for record in records:
                        intake.read(record, self._rules)
                    for event in intake.events:
                        self._apply(event.fact)
                if not self.complete.is_set() and all([await consumer.position(p) >= ends[p] for p in partitions]):
                    self.complete.set()
                backoff.reset()
        finally:
            await consumer.stop()
