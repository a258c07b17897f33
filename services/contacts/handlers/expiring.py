"""Telling what has become different by the mere passing of time: exactly once, whichever instance dies over it.

Whoever asks in between is answered by `shared.consent`, which needs nobody to have told it. Those who only hear of customers, as
channels do, have what was sent to them judged as of when it was sent, and get it anew with the next version.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog

from services.contacts.domain.changes import Author
from services.contacts.domain.expiry import BEGINS, CONTACTS, has_begun, run_out, without_ended
from services.contacts.domain.survivorship import Statement
from services.contacts.handlers.apart import apart
from services.contacts.handlers.book import Book, Store, open_book
from shared.clock import Clock
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Transact, Unit

log = structlog.get_logger(__name__)
PIECE = 100
"""Contacts that are changed in one transaction."""


class Turns(Protocol):
    """Where grants and bars that end, and bars that begin, are found."""

    lease: Lease

    async def due(self, now: datetime, limit: int, besides: Collection[str] = ()) -> Sequence[str]:
        """Customers of whom something is to be told, the earliest first. Of several who are one, the part that it is about.

        `besides`: customers who are left out.
        """
        ...

    async def unknown(self, limit: int) -> Sequence[str]:
        """Customers of whom it is not known yet when that will be."""
        ...


class Expiring:
    """The use case."""

    def __init__(
        self, turns: Turns, store: Store, clock: Clock, transact: Transact[int], owner: str, country: str | None
    ) -> None:
        self.turns = turns
        self.store = store
        self.clock = clock
        self.transact = transact
        self.owner = owner
        self.country = country
        self._too_large: set[str] = set()

    async def work(self) -> None:
        """Tell all that is due by now, if no other instance is at it. Raises LeaseLost."""
        if not await self.turns.due(await self.clock.now(), 1):
            return
        with suppress(UnderWay):
            async with leased(self.turns.lease, self.owner, "Telling what has run out or begun"):
                await self._tell_all()

    async def _tell_all(self) -> None:
        late: list[str] = []
        while customers := await self.turns.due(await self.clock.now(), PIECE, late):
            told, too_large = await apart(customers, self._told)
            log.info("turns_told", count=told)
            if not told and not too_large:
                return  # what is left of these is for the next look; asked again at once it would go round in circles
            late += too_large
        for one in set(late) - self._too_large:
            log.error(
                "turn_cannot_be_told", customer_id=one, why="with it the contact would be larger than can be told"
            )
        self._too_large = set(late)

    async def _told(self, customers: Collection[str]) -> int:
        return await self.transact(partial(self._piece, customers))

    async def catch_up(self) -> None:
        """Once after the start: contacts of a time when bars ended unheard."""
        while customers := await self.turns.unknown(PIECE):
            await self.transact(partial(self._write_again, customers))

    async def _write_again(self, customers: Collection[str], unit: Unit) -> int:
        book = await open_book(self.store, unit, customers, await self.clock.now(unit.session), self.country)
        kept = [one for one in customers if one in book.current]
        await book.save(self.store, kept=kept)
        return len(kept)

    async def _piece(self, customers: Collection[str], unit: Unit) -> int:
        """How much was told. Judged by what stands now: a customer may have said something anew, or have been told already."""
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, customers, now, self.country)
        count = sum(_tell(book, one) for one in customers if one in book.current)
        await book.save(self.store)
        return count


def _tell(book: Book, customer: str) -> int:
    author, count = Author(CONTACTS), 0
    if over := run_out(book.current[customer].contact, book.now):
        book.hear(customer, [Statement(CONTACTS, book.now, consents=over)], author=author)
        count += len(over)
    known = book.current[customer]
    if (left := without_ended(known.contact, book.now)) is not known.contact:
        book.take(replace(known, contact=left), author)
        count += 1
    # Last: what the others have told is told with it.
    if book.root(customer) == customer and has_begun(book.current[customer].published, book.now):
        book.tell_again(customer, ["do_not_contact"], replace(author, reason=BEGINS))
        count += 1
    return count
