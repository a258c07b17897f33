"""Do not contact: said of one customer, or by lists of addresses that hold for contacts there are and for those to come."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from services.contacts.domain.access import Rows
from services.contacts.domain.barring import OverAlready, barred_by, channel_of, freed, in_force, made_for
from services.contacts.domain.changes import Author
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.book import Book, Store, open_book, open_seen
from shared.clock import Clock
from shared.contracts.contacts import Contact, DoNotContact
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Transact, Unit

ENTRIES, CONTACTS = 500, 100
"""So many entries are looked at together, and so many contacts changed in one transaction."""


class Entry(Protocol):
    """An entry that has to be held against the contacts there are."""

    @property
    def digest(self) -> bytes: ...


class Lists(Protocol):
    """Where lists are kept."""

    lease: Lease

    async def put(self, bar: "Bar", addressed: Iterable[tuple[str, str]], now: datetime) -> None:
        """Each address with its channel. What is on the list already is brought up to date."""
        ...

    async def end(self, name: str, addressed: Iterable[tuple[str, str]], now: datetime) -> None: ...

    async def due(self, now: datetime, limit: int) -> Sequence[Entry]:
        """Those that are new or have changed, and once more those that were so when no transaction of then is open any more."""
        ...

    async def reached(self, digests: Collection[bytes], after: str, limit: int) -> Sequence[str]: ...

    async def looked(self, due: Sequence[Any]) -> None:
        """These of `due` are done with."""
        ...

    async def forget(self, now: datetime) -> None:
        """Those that have ended by themselves. What contacts have of them says itself until when it holds."""
        ...

    async def sizes(self, now: datetime) -> Mapping[str, "Size"]: ...

    async def without_digests(self, limit: int) -> Sequence[str]: ...


@dataclass(frozen=True)
class Bar:
    """What is said of many addresses at once. `channel`: None: what each address is for.

    `since`: None: from now on. Since when it was, if that is earlier and it is in force.
    """

    name: str
    reason: str
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Size:
    """How many entries a list has; how many of them are still to begin, and to be held against the contacts there are."""

    entries: int
    ahead: int
    waiting: int


@dataclass(frozen=True)
class CustomerBar:
    """What is said of one customer. `since` as of a `Bar`."""

    channel: str
    reason: str
    source: str
    since: datetime | None = None
    until: datetime | None = None


class Barring:
    """The use cases."""

    def __init__(self, store: Store, clock: Clock, country: str | None = None) -> None:
        self.store = store
        self.clock = clock
        self.country = country

    async def bar(self, unit: Unit, customer: str, said: CustomerBar, author: Author, rows: Rows) -> Contact:
        """Nobody may approach the customer on this channel. Of several who are one it is said of the person.

        What is in force stays so since when it was, also if this names a later time. Raises NoSuchContact, OverAlready, TooManyBars.
        """
        book = await self._open(unit, customer, rows)
        root = book.root(customer)
        entry = _entry(said, book.current[root].published, book.now)
        self._free(book, [one for one in book.parts(customer) if one != root], said.channel, author)
        known = book.current[root]
        book.take(replace(known, contact=barred_by(known.contact, entry)), author)
        await book.save(self.store)
        return book.current[root].published

    async def free(self, unit: Unit, customer: str, channel: str, author: Author, rows: Rows) -> Contact:
        """What was said of the customer holds no longer; what lists say does. Raises NoSuchContact."""
        book = await self._open(unit, customer, rows)
        self._free(book, list(book.parts(customer)), channel, author)
        await book.save(self.store)
        return book.current[book.root(customer)].published

    async def _open(self, unit: Unit, customer: str, rows: Rows) -> Book:
        return await open_seen(self.store, unit, customer, rows, await self.clock.now(unit.session), self.country)

    @staticmethod
    def _free(book: Book, parts: Iterable[str], channel: str, author: Author) -> None:
        for one in parts:
            known = book.current[one]
            if (left := freed(known.contact, channel)) is not known.contact:
                book.take(replace(known, contact=left), author)


def _entry(said: CustomerBar, contact: Contact, now: datetime) -> DoNotContact:
    """What is said, of a contact as others see it. What bars it by now goes on: a PUT frees nobody, by whatever slip of a date."""
    until = _not_over(said.until, now)
    held = [one.since for one in made_for(contact) if one.channel == said.channel and in_force(one, now)]
    # Whoever says no time means now: what was to begin later has begun.
    since = min([milliseconds(said.since or now), *held])
    return DoNotContact(channel=said.channel, reason=said.reason, since=since, until=until, source=said.source)


def _not_over(until: datetime | None, now: datetime) -> datetime | None:
    """To the millisecond. Raises OverAlready."""
    if until is not None and until <= now:
        raise OverAlready
    return until and milliseconds(until)


class Listing:
    """The use cases of lists. Their times are the wall's, as of whoever keeps them."""

    def __init__(
        self, lists: Lists, store: Store, clock: Clock, transact: Transact[None], owner: str, country: str | None
    ) -> None:
        self.lists = lists
        self.store = store
        self.clock = clock
        self.transact = transact
        self.owner = owner
        self.country = country

    async def put(self, bar: Bar, addresses: Collection[str]) -> None:
        """Whoever is registered from now on has it; contacts there are, within seconds. Again it changes nothing.

        What is to begin later is told to others twice, as it is of one customer: that it will, and when it does. What is in
        force stays so since when it was. Raises OverAlready.
        """
        now = milliseconds(await self.clock.now())
        since, until = bar.since and milliseconds(bar.since), _not_over(bar.until, now)
        await self.lists.put(replace(bar, since=since, until=until), _addressed(bar, addresses), now)

    async def end(self, bar: Bar, addresses: Collection[str]) -> None:
        """Take them off the list. Nobody is told whether they were on it."""
        now = milliseconds(await self.clock.now())
        await self.lists.end(bar.name, _addressed(bar, addresses), now)

    async def work(self) -> None:
        """Hold what is due against the contacts there are, if no other instance is at it. Raises LeaseLost."""
        if not await self.lists.due(await self.clock.now(), 1):
            return
        with suppress(UnderWay):
            async with leased(self.lists.lease, self.owner, "Holding lists against contacts"):
                while due := await self.lists.due(await self.clock.now(), ENTRIES):
                    await self._hold({one.digest for one in due})
                    # Not before: whoever dies in between leaves it to be done again, and then it changes nothing.
                    await self.lists.looked(due)

    async def _hold(self, digests: Collection[bytes]) -> None:
        after = ""
        while customers := await self.lists.reached(digests, after, CONTACTS):
            await self._list_again(customers)
            after = customers[-1]

    async def _list_again(self, customers: Collection[str], *, kept: bool = False) -> None:
        async def change(unit: Unit) -> None:
            now = await self.clock.now(unit.session)
            book = await open_book(self.store, unit, customers, now, self.country)
            named = [one for one in customers if one in book.current]
            await book.list_again(self.store, [book.current[one].contact for one in named])
            await book.save(self.store, kept=named if kept else ())

        await self.transact(change)

    async def sizes(self) -> Mapping[str, Size]:
        return await self.lists.sizes(await self.clock.now())

    async def sweep(self) -> None:
        await self.lists.forget(await self.clock.now())

    async def catch_up(self) -> None:
        """Once after the start: contacts of a time before there were lists have no digests of their addresses."""
        while customers := await self.lists.without_digests(CONTACTS):
            await self._list_again(customers, kept=True)


def _addressed(bar: Bar, addresses: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each address with the channel that it is on the list for."""
    return ((one, bar.channel or channel_of(one)) for one in addresses)
