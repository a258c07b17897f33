"""How good the data are: of one contact now, and of all of them as of the last measurement."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any, Protocol

from services.contacts.domain.quality import Quality, quality
from services.contacts.domain.quality_report import Tally
from services.contacts.domain.survivorship import Known
from shared.clock import Clock, WallClock

PIECE = 200
"""Contacts judged at a time, in a thread: some 80 ms, after which the event loop has its turn for certain."""
LEASE = timedelta(seconds=60)
"""How long a measurement rests after its instance has died; a piece takes far less."""


class Reports(Protocol):
    """Where reports are kept, and contacts are read from."""

    async def claim(self, owner: str, now: datetime, lease: timedelta) -> bool:
        """Whether a report is due and nobody else makes it; if so it is this owner's until the lease ends."""

    async def renew(self, owner: str, now: datetime, lease: timedelta) -> bool:
        """Whether it is still this owner's; if so for another lease."""

    async def save_report(self, owner: str, report: dict[str, Any], due: datetime) -> None:
        """Keep a report, unless somebody else makes one, and when the next is due."""

    async def report(self) -> dict[str, Any] | None:
        """The last report."""

    async def piece(self, after: str, limit: int) -> list[Known]:
        """The contacts that follow an id, in the order of their ids."""

    async def one(self, customer: str) -> Known | None: ...


class Measuring:
    """The use cases of quality."""

    def __init__(self, reports: Reports, clock: Clock, owner: str, share: float, country: str | None) -> None:
        self.reports = reports
        self.clock = clock
        self.owner = owner
        self.share = share
        self.country = country
        self.wall = WallClock()

    async def of(self, customer: str) -> Quality | None:
        """The quality of a contact's data; None if there is no such contact."""
        known = await self.reports.one(customer)
        return quality(known, await self.clock.now(), self.country) if known else None

    async def report(self) -> dict[str, Any] | None:
        """As of `as_of`; see `Tally.report`. None before the first."""
        return await self.reports.report()

    async def measure_if_due(self) -> None:
        """Make the report of all contacts, if it is due and no other instance is at it."""
        if not await self.reports.claim(self.owner, await self.wall.now(), LEASE):
            return
        began = time.monotonic()
        as_of = await self.clock.now()
        tally = await self._measure(as_of)
        if tally is not None:
            rest = (time.monotonic() - began) / self.share
            due = await self.wall.now() + timedelta(seconds=rest)
            await self.reports.save_report(self.owner, {"as_of": as_of, **tally.report()}, due)

    async def _measure(self, as_of: datetime) -> Tally | None:
        """All contacts, piece by piece. None if another instance has taken over, since this one was silent too long."""
        tally, after = Tally(), ""
        while piece := await self.reports.piece(after, PIECE):
            await asyncio.to_thread(tally.add_all, piece, as_of, self.country)
            after = piece[-1].contact.customer_id
            if not await self.reports.renew(self.owner, await self.wall.now(), LEASE):
                return None
        return tally
