"""What contacts does: hear reports of channels, register and change contacts, say whose identifiers are.

All of it runs inside a transaction that may be run again; its only effects are through the unit and the store.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import cast

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.changes import Author
from services.contacts.domain.identities import Conflict, Resolution, distinct, identified, normalised, resolve
from services.contacts.domain.survivorship import Known, Statement, TooManyConsents, after_all_said, statement
from services.contacts.handlers.book import Book, Changes, Store, open_book
from services.contacts.handlers.catalogue import Catalogue, UnfitFields
from services.contacts.handlers.errors import (
    AlreadyMerged,
    IdentifierTaken,
    NoSuchContact,
    NoSuchMerge,
    NoSuchPair,
    OutOfSight,
    SameContact,
    VersionMismatch,
)
from services.contacts.handlers.merging import Decision, Merging
from services.contacts.handlers.spoken import other_ends, spoken
from shared.clock import Clock
from shared.contracts.channels import ContactReported
from shared.contracts.contacts import Contact
from shared.contracts.fact import Identifier, Reason
from shared.contracts.parties import PartyLink
from shared.ids import uuid7
from shared.messaging import Received, TooLarge, Unit
from shared.mongo import Session

__all__ = [
    "AlreadyMerged",
    "Changes",
    "Decision",
    "Handlers",
    "IdentifierTaken",
    "Merging",
    "NoSuchContact",
    "NoSuchMerge",
    "NoSuchPair",
    "OutOfSight",
    "Said",
    "SameContact",
    "Store",
    "VersionMismatch",
]

Lists = Sequence[Sequence[Identifier]]
Fresh = Callable[[Unit, Sequence[Received]], Awaitable[tuple[list[Received], int]]]


@dataclass(frozen=True)
class Said:
    """What a person enters: the fields in `given` speak, also if they are null."""

    report: ContactReported
    source: str
    given: Collection[str]
    said_at: datetime | None = None
    """None: now."""
    origin: str | None = None
    """The channel that must not get an echo of it, if it was one."""
    by: str | None = None
    """The name of the key that they hold."""
    reason: str | None = None
    rows: Rows = EVERYBODY
    """The contacts that they may see."""


class Handlers:
    """The use cases of contacts."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        fresh: Fresh,
        country: str | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.fresh = fresh
        self.country = country
        self.catalogue = catalogue or Catalogue()

    async def hear(self, unit: Unit, events: Sequence[Received]) -> None:
        """Channels report contacts (`crm.contact.reported.v1`)."""
        await self.catalogue.current()
        await self.clock.witness(unit, events)
        heard_before = Counter(event.partition for event in events)
        events, _ = await self.fresh(unit, events)
        heard_before -= Counter(event.partition for event in events)
        lists = [identified(event.fact) for event in events]
        named = other_ends(events)
        now = await self.clock.now(unit.session)
        found = await self._resolve([*lists, *(end.identifiers for end in named)], unit.session, now)
        book = await open_book(self.store, unit, set(found.customers), now, self.country)
        book.note(found.conflicts)
        links = spoken(events, named, found)
        of_customer: dict[str, list[tuple[int, Received]]] = defaultdict(list)
        for index, event in enumerate(events):
            of_customer[found.customers[index]].append((index, event))
        for customer, told in of_customer.items():
            # A change told to others has one origin, because the channel that it came from gets no echo of it.
            for _, run in groupby(told, key=lambda pair: pair[1].source):
                heard = [
                    (event, self._said(event, found.own(index, lists[index]), links.own.get(index, ())))
                    for index, event in run
                ]
                self._hear(book, customer, heard)
        for customer, index, told_of_other in links.others:
            self._hear(book, customer, [(events[index], told_of_other)])
        await book.save(self.store, heard_before)

    def _said(self, event: Received, own: list[Identifier], links: Iterable[PartyLink]) -> Statement:
        return self.catalogue.placed(statement(event.fact, event.source, identifiers=own, linked=links))

    def _hear(self, book: Book, customer: str, heard: list[tuple[Received, Statement]]) -> None:
        """One customer's reports from one source; if the contact cannot hold them, those that it can."""
        try:
            book.hear(customer, [told for _, told in heard], heard[-1][0])
        except (TooManyConsents, TooLarge) as refused:
            if len(heard) == 1:
                reason = Reason.TOO_LARGE if isinstance(refused, TooLarge) else Reason.INVALID_DATA
                book.unit.reject(heard[0][0], reason, str(refused))
                return
            for one in heard:
                self._hear(book, customer, [one])

    async def known(self, lists: Lists) -> list[str] | None:
        """Whose each list is, if that is known without doubt and so without a transaction; else None."""
        lists = [distinct(listed) for listed in lists]
        owners = await self.store.owners({str(one) for listed in lists for one in listed}, None)
        found = [{owners.get(str(one)) for one in listed} for listed in lists]
        if any(len(customers) > 1 or None in customers for customers in found):
            return None
        return [cast("str", customers.pop()) for customers in found]

    async def find(self, identifier: Identifier) -> Contact | None:
        """The contact that an identifier belongs to, or the one that it was merged into."""
        name = str(normalised(identifier))
        customer = (await self.store.owners({name}, None)).get(name)
        return await self.store.contact(customer) if customer else None

    async def resolve(self, unit: Unit, lists: Lists, asker: Author | None = None) -> list[str]:
        """Whose each list of identifiers is; who is unknown is registered as a prospect."""
        lists = [distinct(listed) for listed in lists]
        now = await self.clock.now(unit.session)
        found = await self._resolve(lists, unit.session, now)
        book = await open_book(self.store, unit, set(found.attached), now, self.country)
        book.note(found.conflicts)
        for customer, identifiers in found.attached.items():
            book.hear(customer, [Statement("", book.now, identifiers)], author=asker)
        await book.save(self.store)
        return found.customers

    async def register(self, unit: Unit, said: Said) -> Contact:
        """A person registers a contact. Raises IdentifierTaken if one of the identifiers is known, UnfitFields, OutOfSight."""
        identifiers = identified(said.report)
        owners = await self.store.owners({str(one) for one in identifiers}, unit.session)
        for one in identifiers:
            if str(one) in owners:
                raise IdentifierTaken(str(one), owners[str(one)])
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, (), now, self.country)
        return await self._enter(book, uuid7(now), said, identifiers)

    async def change(self, unit: Unit, customer: str, said: Said, version: int | None = None) -> Contact:
        """A person changes a contact, at that version if one is named. Only unknown identifiers can be added.

        Of a customer who was merged into another, that one's contact is changed, and answered. Raises NoSuchContact,
        VersionMismatch, IdentifierTaken, OutOfSight.
        """
        identifiers = identified(said.report)
        owners = await self.store.owners({str(one) for one in identifiers}, unit.session)
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, {customer}, now, self.country)
        parts = book.parts(customer)
        self._check(parts.get(book.root(customer)), customer, version, said.rows)
        for one in distinct(said.report.customer):
            if owners.get(str(one), customer) not in parts:
                raise IdentifierTaken(str(one), owners[str(one)])
        # What is left of others' is an e-mail address or a telephone number, and those may be shared.
        names = tuple(str(one) for one in identifiers)
        book.note(Conflict(customer, other, names) for other in set(owners.values()) - parts.keys())
        own = [one for one in identifiers if owners.get(str(one), customer) == customer]
        return await self._enter(book, customer, said, own)

    @staticmethod
    def _check(before: Known | None, customer: str, version: int | None, rows: Rows) -> None:
        if before is None or not rows.sees(before.published):
            raise NoSuchContact(customer)
        if version is not None and version != before.published.version:
            raise VersionMismatch(before.published.version)

    async def _enter(self, book: Book, customer: str, said: Said, identifiers: list[Identifier]) -> Contact:
        await self.catalogue.current()
        said_at = said.said_at or after_all_said(book.parts(customer).values(), book.now)
        told = statement(
            said.report, said.source, said_at=said_at, given=said.given, identifiers=identifiers, by=said.by
        )
        author = Author(said.source, said.by, said.reason)
        if wrong := self.catalogue.wrong(told.attributes):
            raise UnfitFields(wrong)
        contact = book.hear(customer, [self.catalogue.placed(told)], origin=said.origin, author=author)
        if not said.rows.sees(contact):
            raise OutOfSight(contact.customer_id)
        await book.save(self.store)
        return book.current[book.root(customer)].published

    async def _resolve(self, lists: Lists, session: Session | None, now: datetime) -> Resolution:
        owners = await self.store.owners({str(one) for listed in lists for one in listed}, session)
        return resolve(lists, owners, lambda: uuid7(now))
