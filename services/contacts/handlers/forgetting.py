"""The place `log`: done when somebody has seen that nothing from before the erasure is left on any topic, nor of any file."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from services.contacts.domain.erasure import Erasure
from shared.contracts.erasures import ERASURES, LOG, ErasureDone
from shared.contracts.fact import Topic
from shared.contracts.topics import PERSONAL
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Unit
from shared.messaging.ages import CLOCKS, Named
from shared.messaging.outbox import Outgoing

log = structlog.get_logger(__name__)


class Ages(Protocol):
    """What the log still has (`shared.messaging.ages`)."""

    async def older(self, topics: Sequence[Topic], moment: datetime) -> list[str]: ...

    async def named(self, topic: Topic, keys: Collection[str]) -> Named: ...


class Ledger(Protocol):
    def unfinished(self) -> AsyncIterator[Erasure]: ...


class Files(Protocol):
    """Files that were imported, and what is kept of their rows for some days."""

    async def older(self, moment: datetime) -> list[str]: ...


class Forgetting:
    """Looks through the log, and the files that were imported, for what erasures have left there."""

    def __init__(
        self,
        ages: Ages,
        files: Files,
        ledger: Ledger,
        lease: Lease,
        instance: str,
        transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]],
        clocks: timedelta = CLOCKS,
    ) -> None:
        self.ages = ages
        self.files = files
        self.ledger = ledger
        self.lease = lease
        self.instance = instance
        self.transact = transact
        self.clocks = clocks

    async def look(self) -> None:
        """One instance at a time. Where nothing waits for it, nothing is read."""
        waiting = [one async for one in self.ledger.unfinished() if LOG in one.open_places and one.told_until]
        if not waiting:
            return
        try:
            async with leased(self.lease, self.instance, "Looking through the log"):
                await self._look(waiting)
        except UnderWay:
            log.info("log_looked_through_elsewhere")

    async def _look(self, waiting: Sequence[Erasure]) -> None:
        kept = [topic for topic in PERSONAL if not topic.compacted]
        aged = [
            one
            for one in waiting
            if not await self.ages.older(kept, self._last(one)) and not await self.files.older(self._last(one))
        ]
        if not aged:
            return
        customers = {customer for one in aged for customer in one.customers}
        left: set[str] = set()
        for topic in (topic for topic in PERSONAL if topic.compacted):
            named = await self.ages.named(topic, customers)
            left |= named.values
            if named.uncovered:
                await self.transact(partial(self._bury, topic, sorted(named.uncovered)))
                log.warning("tombstones_told_again", topic=topic.name, customers=len(named.uncovered))
        for erasure in aged:
            if left.isdisjoint(erasure.customers):
                await self.transact(partial(self._receipt, erasure))
            else:
                log.info("erasure_awaits_compaction", erasure_id=erasure.erasure_id)

    def _last(self, erasure: Erasure) -> datetime:
        """From when on nothing was told of the customer any more."""
        assert erasure.told_until is not None, "asked for before"
        return erasure.told_until + self.clocks

    async def _bury(self, topic: Topic, customers: Sequence[str], unit: Unit) -> None:
        """A batch that its producer had given up has reached the broker late, behind the tombstone: here is another."""
        for customer in customers:
            unit.forward(Outgoing(topic.name, customer.encode(), None, ()))

    async def _receipt(self, erasure: Erasure, unit: Unit) -> None:
        fact = ErasureDone(erasure_id=erasure.erasure_id, place=LOG, at=datetime.now(UTC))
        unit.publish(ERASURES, fact, key=erasure.erasure_id)
        log.info("erasure_done", erasure_id=erasure.erasure_id, place=LOG)
