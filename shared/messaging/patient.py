"""The Kafka client that our listeners poll: when it waits, when it does not, and how often it commits."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.idle import Idle
from shared.messaging import connection, readable

log = structlog.get_logger()
PATIENCE_MS = 1000
"""FastStream polls, and where nothing came sleeps as long again, deaf to what comes meanwhile. So the waiting is done
inside the poll, which wakes at the first record: no latency, and an idle service is idle.
"""
GATHER_MS = 30
GATHER_SHARE = 2.0
"""Where batches take long, because there is more work than CPU, gathering takes so many times as long as a batch: then
fewer and larger batches leave the CPU to those that wait for it, which no batch that comes at once would do.
"""
GATHER_MOST_MS = (80, 200)
ENOUGH, SCARCE = 0.12, 0.05
"""But no longer than the first of these where that much of the machine's CPU time is left, because then batches that come sooner are
worth their price; than the second where less than that is left; linear in between. At 1,000 events/s and 15 % left, 80 ms instead of
200 made a delivery's p50 162 ms instead of 249; at 1,200 and 6 % left, 60 instead of 200 made its p99 1.1 s instead of 0.66.
"""
LOOK_SECONDS = 1.0
GATHER_BYTES = 512 * 1024
"""Every fetch and every batch has a price of its own, about 5 ms of CPU here and at the servers. In a stream of records
it is shared by waiting: the broker answers when it has so many bytes, or after that time. At 1,000 events/s on two cores,
30 ms instead of 15 took 10 % of all CPU, and the last of three hops came sooner: p99 174 ms instead of 275. With two
channels and no core free, the time that follows a batch's made the lag flat where it grew, p50 0.8 s instead of 2.1.
"""
SMOOTHING = 0.25
"""The newest batch's weight in how long a batch takes."""
WORTH_RECORDS = 3.0
"""It is a stream where so many records come while the broker gathers: 100 a second where it does for 30 ms, 3 where nobody minds a
second. Where a few come now and then and nobody waits, each would else be a batch.
"""
PACE_SECONDS = 0.5
COMMIT_SECONDS = 1.0


class Pace:
    """How fast records come."""

    def __init__(self) -> None:
        self._rate = 0.0
        self._at = 0.0

    def busy(self, records: int, now: float, gather_ms: int) -> bool:
        """Take note of what has come since the last call; whether it is a stream, worth gathering for so long at least."""
        elapsed = max(now - self._at, 0.001)
        self._at = now
        self._rate += (records / elapsed - self._rate) * min(1.0, elapsed / PACE_SECONDS)
        return self._rate * gather_ms >= WORTH_RECORDS * 1000


def most_ms(left: float) -> float:
    """How long a batch is gathered at most, where such a part of the machine's CPU time is left."""
    short, long = GATHER_MOST_MS
    return long - (long - short) * min(max((left - SCARCE) / (ENOUGH - SCARCE), 0.0), 1.0)


class PatientConsumer(AIOKafkaConsumer):  # type: ignore[misc]
    """Waits for records as long as it may, whatever FastStream asks for; gathers a moment longer where there is a
    stream of them; and commits once a second at most: the guarded offsets know the place, Kafka's are a hint.
    """

    def __init__(self, *topics: Any, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._commit_owed = False
        self._committed = 0.0
        self._pace = Pace()
        self._returned = 0.0
        self._taken = 0.0
        """Seconds that a batch takes, of late."""
        self.gather_ms = GATHER_MS
        """In a stream, at least."""
        self._idle = Idle()
        self._most_ms = most_ms(0.0)
        self._looked = time.monotonic()

    async def start(self) -> None:
        readable.install()
        connection.install()
        await super().start()

    async def commit(self, offsets: Any = None) -> None:
        if offsets is not None:
            await super().commit(offsets)
            return
        self._commit_owed = True
        await self._commit_if_due()

    async def _commit_if_due(self) -> None:
        """Between batches only, when all that was polled has had its effect or was sought back to."""
        if self._commit_owed and time.monotonic() - self._committed >= COMMIT_SECONDS:
            self._commit_owed, self._committed = False, time.monotonic()
            try:
                await super().commit()
            except KafkaError as error:
                # A rebalance, mostly. In a second the next one says all that this one would have said.
                self._commit_owed = True
                log.info("commit_refused", error=type(error).__name__)

    async def stop(self) -> None:
        """Whoever stops in good order leaves its group, under a lasting name too: the others go on at once."""
        if self._coordinator is not None:
            self._coordinator._group_instance_id = None  # noqa: SLF001 - the client leaves only without one
        await super().stop()

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None) -> Any:
        asked = time.monotonic()
        if self._returned:
            self._taken += (asked - self._returned - self._taken) * SMOOTHING
        await self._commit_if_due()
        patience = max(timeout_ms, PATIENCE_MS)
        found = await super().getmany(*partitions, timeout_ms=patience, max_records=max_records)
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._most_ms, self._looked = most_ms(self._idle.of_late()), now
        self._gather(self._pace.busy(sum(map(len, found.values())), now, self.gather_ms))
        self._returned = now
        return found

    def _gather(self, busy: bool) -> None:
        """In a stream the broker gathers for us; it is told with each fetch, and the client has no call to change it."""
        fetcher = self._fetcher
        gather = int(max(self.gather_ms, min(GATHER_SHARE * self._taken * 1000, self._most_ms)))
        fetcher._fetch_min_bytes = GATHER_BYTES if busy else 1  # noqa: SLF001
        fetcher._fetch_max_wait_ms = gather if busy else self._fetch_max_wait_ms  # noqa: SLF001


def make_patient(broker: KafkaBroker) -> KafkaBroker:
    """Make the broker build our consumers. Call when it has connected, which chooses the class, and before it starts."""
    config = broker.config.broker_config
    config.builder = partial(PatientConsumer, **config.builder.keywords)  # type: ignore[attr-defined]
    return broker
