"""How good the data are: of one contact now, and of all of them as of the last measurement."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Protocol

from services.contacts.domain.merging import together
from services.contacts.domain.quality import Quality, quality
from services.contacts.domain.quality.report import Tally
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.rulebook import Rulebook
from shared.clock import Clock
from shared.idle import Idle, unknown
from shared.leases import Lease, UnderWay, leased

PIECE = 50
"""Contacts judged at a time, in a thread: some 20 ms."""
FIRST_SHARE = 0.2
"""Of one core, for the first report of all, for which somebody may be waiting, if the machine has that left."""


class Reports(Protocol):
    """Where reports are kept, and contacts are read from."""

    lease: Lease
    """Of who makes the report."""

    async def save_report(self, report: dict[str, Any]) -> None: ...

    async def report(self) -> dict[str, Any] | None:
        """The last report."""

    async def piece(self, after: str, limit: int) -> list[Known]:
        """The contacts that follow an id, in the order of their ids, without those merged into others."""

    async def load(self, customers: Collection[str]) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""


class Measuring:
    """The use cases of quality."""

    def __init__(
        self,
        reports: Reports,
        clock: Clock,
        owner: str,
        share: float,
        country: str | None,
        rulebook: Rulebook | None = None,
        idle: Idle | None = None,
    ) -> None:
        self.reports = reports
        self.clock = clock
        self.owner = owner
        self.share = share
        self.country = country
        self.rulebook = rulebook or Rulebook()
        self.idle = idle or Idle(unknown)

    async def of(self, customer: str) -> Quality | None:
        """The quality of a contact's data, of one merged into another that one's; None if there is no such contact."""
        known = (await self.reports.load([customer])).get(customer)
        if known and known.place.root:
            known = (await self.reports.load([known.place.root])).get(known.place.root)
        if known is None:
            return None
        [whole] = await self._whole([known])
        return quality(whole, await self.clock.now(), self.country)

    async def report(self) -> dict[str, Any] | None:
        """As of `as_of`; see `Tally.report`. None before the first."""
        return await self.reports.report()

    async def measure(self) -> None:
        """Make the report of all contacts, unless another instance is at it. Raises LeaseLost."""
        with suppress(UnderWay):
            async with leased(self.reports.lease, self.owner, "The report of all contacts' quality"):
                await self._measure()

    async def _measure(self) -> None:
        """All contacts, piece by piece, with a rest after each: whoever asks meanwhile must not wait for a core."""
        as_of = await self.clock.now()
        share = self.share if await self.reports.report() else max(self.share, FIRST_SHARE)
        tally, after = Tally(), ""
        while piece := await self.reports.piece(after, PIECE):
            async with self.idle.piece(share):
                await asyncio.to_thread(tally.add_all, await self._whole(piece), as_of, self.country)
                after = piece[-1].contact.customer_id
        await self.reports.save_report({"as_of": as_of, **tally.report()})

    async def _whole(self, roots: Collection[Known]) -> list[Known]:
        """Each with what was said of all whom it was found to be."""
        members = {member for known in roots for member in known.place.members}
        if not members:
            return list(roots)
        parts = await self.reports.load(members) | {known.contact.customer_id: known for known in roots}
        rules = await self.rulebook.current()
        return [
            together(known.contact.customer_id, parts, self.country, rules) if known.place.members else known
            for known in roots
        ]
