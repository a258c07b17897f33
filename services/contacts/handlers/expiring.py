"""Telling that grants have run out: exactly once, whichever instance dies over it.

Whoever asks in between is answered by `shared.consent`, which needs nobody to have told it.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from services.contacts.domain.changes import Author
from services.contacts.domain.expiry import CONTACTS, run_out
from services.contacts.domain.survivorship import Statement
from services.contacts.handlers.book import Store, open_book
from shared.clock import Clock
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Unit

log = structlog.get_logger(__name__)
PIECE = 100
"""Contacts that are changed in one transaction."""
Transact = Callable[[Callable[[Unit], Awaitable[int]]], Awaitable[int]]


class Grants(Protocol):
    """Where grants with an end are found."""

    lease: Lease

    async def ending(self, now: datetime, limit: int) -> Sequence[str]:
        """Customers of whom a grant has run out that still stands, the earliest first. Of several who are one, the part that gave it."""
        ...


class Expiring:
    """The use case."""

    def __init__(
        self, grants: Grants, store: Store, clock: Clock, transact: Transact, owner: str, country: str | None
    ) -> None:
        self.grants = grants
        self.store = store
        self.clock = clock
        self.transact = transact
        self.owner = owner
        self.country = country

    async def work(self) -> None:
        """Tell all that have run out by now, if no other instance is at it. Raises LeaseLost."""
        if not await self.grants.ending(await self.clock.now(), 1):
            return
        with suppress(UnderWay):
            async with leased(self.grants.lease, self.owner, "Telling which consents have run out"):
                while customers := await self.grants.ending(await self.clock.now(), PIECE):
                    told = await self.transact(partial(self._piece, customers))
                    log.info("consents_expired", count=told)
                    if not told:
                        return  # what is left of these is for the next look; asked again at once it would go round in circles

    async def _piece(self, customers: Collection[str], unit: Unit) -> int:
        """How many were told. Judged by what stands now: a customer may have granted anew, or have been told already."""
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, customers, now, self.country)
        count = 0
        for customer in customers:
            known = book.current.get(customer)
            if known and (over := run_out(known.contact, now)):
                book.hear(customer, [Statement(CONTACTS, now, consents=over)], author=Author(CONTACTS))
                count += len(over)
        await book.save(self.store)
        return count
