"""A batch of records becomes one transaction: read, filter, hand to the service, move the offsets, fill the outbox.

Here is decided what happens to records that fail; how they arrive is `listener`'s business.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext, suppress

import structlog

from shared import metrics, mongo
from shared.contracts.fact import Reason
from shared.logging import whereabouts
from shared.messaging.offsets import Offsets
from shared.messaging.reading import Reading
from shared.messaging.received import Intake, Received, Record, Rejected
from shared.messaging.subscription import Subscription
from shared.messaging.transient import Fenced, transient
from shared.messaging.unit import TooLarge, Unit
from shared.mongo import Client, Database, Session
from shared.settings import PlatformSettings

log = structlog.get_logger()
ATTEMPTS_BEFORE_NARROWING = 2
"""An unknown error fails the whole batch so many times before the record that causes it is searched."""


class TooManyDeadLetters(Exception):
    """So many refusals in a row look like a mistake of ours: the consumer waits for a human instead."""


class Consumer:
    """The work of one subscription."""

    def __init__(
        self, service: str, subscription: Subscription, settings: PlatformSettings, client: Client, database: Database
    ) -> None:
        self.subscription = subscription
        self.group = settings.namespace + subscription.group
        self.offsets = Offsets(database, subscription.group)
        self._service = service
        self._reading = Reading(subscription, settings.namespace)
        self._limit = settings.max_consecutive_dead_letters
        self._client = client
        self._database = database
        self._edge = {rules.topic for rules in subscription.rules.values() if rules.edge}
        self._refused_in_a_row: dict[str, int] = {}
        """By topic, what cannot be the sender's fault."""
        self._unknown_failures = 0
        self._most = self._portion = settings.batch_records

    async def process(self, records: Sequence[Record]) -> None:
        """Give the records their one effect. Raises if some of them have not had it and all must come again.

        What does not fit into one transaction (of time, above all) is done in smaller portions, each exact by itself.
        """
        began = time.perf_counter()
        done = 0
        while done < len(records):
            portion = records[done : done + self._portion]
            await self._take(portion)
            done += len(portion)
            self._portion = min(self._most, self._portion * 2)
        metrics.BATCH_RECORDS.labels(self.subscription.group).observe(len(records))
        metrics.BATCH_SECONDS.labels(self.subscription.group).observe(time.perf_counter() - began)

    async def _take(self, records: Sequence[Record]) -> None:
        try:
            await self._attempt(records)
        except Exception as error:
            self.offsets.forget()
            if isinstance(error, TooManyDeadLetters):
                raise
            if transient(error):
                if not isinstance(error, Fenced):
                    self._portion = max(1, len(records) // 2)
                raise
            if not isinstance(error, TooLarge):
                self._unknown_failures += 1
                if self._unknown_failures <= ATTEMPTS_BEFORE_NARROWING:
                    raise
            await self._narrow(records)
        self._unknown_failures = 0

    async def _attempt(self, records: Sequence[Record], condemned: Rejected | None = None) -> None:
        """One transaction for all the records; `condemned` is the one record that is to become a dead letter."""
        group = self.subscription.group
        await self.offsets.load(list({(r.topic, r.partition) for r in records}))
        unseen = self.offsets.unseen(records)
        if len(unseen) < len(records):
            metrics.SKIPPED.labels(group, "redelivered").inc(len(records) - len(unseen))
        if not unseen:
            return
        intake = Intake()
        with suppress(Exception) if condemned else nullcontext():  # what is condemned may be what cannot be read
            self._reading.read(unseen, intake)
        told = intake.told()
        fresh = self.offsets.fresh(told)
        if len(fresh) < len(told):
            metrics.SKIPPED.labels(group, "republished").inc(len(told) - len(fresh))
        events = [one for one in fresh if isinstance(one, Received)]
        intake.rejected[:] = [one for one in fresh if isinstance(one, Rejected)]
        if condemned is not None:
            # Published twice, it is one dead letter.
            intake.rejected[:] = [condemned] if events or not told else []
            events = []
        refused = self._heed_the_limit(events, intake.rejected)
        prepared = await self.subscription.prepare(events) if self.subscription.prepare and events else None
        moved = self.offsets.after(unseen, told)

        async def change(session: Session) -> Unit:
            unit = Unit(self._service, self._database, session, group, prepared)
            await self.offsets.move(moved, session)
            if events:
                await self.subscription.apply(unit, events)
            unit.rejected[:0] = intake.rejected
            await unit.flush()
            return unit

        unit = await mongo.transaction(self._client, change)
        self.offsets.moved(moved)
        unit.committed()
        self._refused_in_a_row.update(refused)
        self._account(unseen, events, unit)

    def _heed_the_limit(self, events: Sequence[Received], rejected: Sequence[Rejected]) -> dict[str, int]:
        """How many in a row will have been refused, by topic, once this batch has had its effect.

        What services tell each other is never bad by chance: many bad records in a row are a bad release of theirs, and
        many that our handler fails on are one of ours. That data have grown too large is in the hand of whoever sends them.
        """
        counts = {event.topic: 0 for event in events}
        for refused in rejected:
            topic = refused.topic
            senders_fault = topic in self._edge and refused.reason is not Reason.HANDLER_ERROR
            if senders_fault or refused.reason is Reason.TOO_LARGE or counts.get(topic) == 0:
                continue
            counts[topic] = counts.get(topic, self._refused_in_a_row.get(topic, 0)) + 1
            if counts[topic] > self._limit:
                raise TooManyDeadLetters(f"{counts[topic]} records of {topic} in a row: {refused.reason.value}")
        return counts

    async def _narrow(self, records: Sequence[Record]) -> None:
        """Find the records that an unknown error is about by halving, keep their order, set them alone aside."""
        error = await self._outcome(records)
        if error is None:
            return
        if len(records) == 1:
            await self._condemn(records[0], error)
            return
        middle = len(records) // 2
        await self._narrow(records[:middle])
        await self._narrow(records[middle:])

    async def _outcome(self, records: Sequence[Record]) -> Exception | None:
        """The unknown error that these records cause together, if any; errors that will pass are raised."""
        try:
            await self._attempt(records)
        except Exception as error:
            self.offsets.forget()
            if transient(error) or isinstance(error, TooManyDeadLetters):
                raise
            return error
        return None

    async def _condemn(self, record: Record, error: Exception) -> None:
        log.error(
            "handler_failed_on_record",
            group=self.subscription.group,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=type(error).__name__,
            at=whereabouts(error),
        )
        # The error's text may quote the input, which may be personal; its type and the log's stack are enough.
        topic, error_name = self._reading.first_topic(record), type(error).__name__
        reason = Reason.TOO_LARGE if isinstance(error, TooLarge) else Reason.HANDLER_ERROR
        await self._attempt([record], Rejected(record, topic, reason, error_name))

    def _account(self, records: Sequence[Record], events: Sequence[Received], unit: Unit) -> None:
        group = self.subscription.group
        by_topic: dict[str, int] = {}
        for record in records:
            by_topic[record.topic] = by_topic.get(record.topic, 0) + 1
        for topic, count in by_topic.items():
            metrics.CONSUMED.labels(group, self._reading.name(topic)).inc(count)
        metrics.EVENT_SECONDS.labels(group).observe(max(0.0, time.time() - records[-1].timestamp / 1000))
        for rejected in unit.rejected:
            metrics.DEAD_LETTERS.labels(group, rejected.reason.value).inc()
            log.warning(
                "dead_letter",
                group=group,
                reason=rejected.reason.value,
                topic=rejected.topic,
                partition=rejected.record.partition,
                offset=rejected.record.offset,
            )
        if log.is_enabled_for(10):
            for event in events:
                log.debug(
                    "event_applied",
                    group=group,
                    type=event.type,
                    id=event.id,
                    correlation_id=event.correlation_id,
                    topic=event.topic,
                    partition=event.partition,
                    offset=event.offset,
                )
