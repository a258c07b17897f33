"""Erasing contacts, keeping the ledger of who is done with it, and restricting the use of what is kept."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from services.contacts.domain.erasure import (
    SERVICES,
    Asker,
    Erasure,
    Ground,
    Patience,
    Traces,
    awaited,
    begun,
    late_places,
    reached_by,
    receipted,
    summary,
    traces_of,
)
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.book import Store, open_book
from services.contacts.handlers.errors import NoSuchContact
from services.contacts.handlers.reaching import Addresses
from shared import metrics
from shared.contracts.contacts import ContactErased, ContactRestricted
from shared.contracts.erasures import ErasureAwaited, ErasureDone
from shared.ids import uuid7
from shared.messaging import Received, Unit
from shared.mongo import Session

log = structlog.get_logger(__name__)
NEEDS_TRACES = "interactions"
"""The one place that looks for more than ids: among events that nobody could take."""


MAX_LEADS = 1000
"""Of one erasure. Nobody is in so many forms, unless somebody has sent them for mischief."""


class NoSuchErasure(LookupError):
    """No erasure has this id."""


@dataclass(frozen=True)
class Wish:
    """What is asked for, and by whom."""

    ground: Ground
    asked_by: Asker
    reference: str | None
    taken_by: str


class Ledger(Protocol):
    """Where erasures are kept."""

    async def erasure(self, erasure_id: str, session: Session | None) -> Erasure | None: ...

    async def begin(self, erasure: Erasure, traces: Traces, session: Session | None) -> None: ...

    async def update(self, erasure: Erasure, *, drop_traces: bool, session: Session | None) -> None: ...

    def unfinished(self) -> AsyncIterator[Erasure]: ...

    async def vacate(self, customers: Collection[str], session: Session | None) -> dict[str, int]:
        """Remove contacts, identifiers and merges, so that from the commit on nobody is found or told of any more."""

    async def restrict(
        self, customers: Collection[str], restriction: "Restriction", session: Session | None
    ) -> None: ...

    async def lift(self, customers: Collection[str], session: Session | None) -> None: ...

    async def restricted(self, customers: Collection[str], session: Session | None) -> "dict[str, Restriction]": ...


class Works(Protocol):
    """The service's own part of erasures (`shared.erasing`)."""

    async def take(
        self,
        fact: ContactErased,
        heard: Collection[str],
        session: Session | None,
        removed: Mapping[str, int] | None = None,
    ) -> None: ...


class Tombstones(Protocol):
    async def erasure_of(self, customer: str, session: Session | None) -> str | None: ...


@dataclass(frozen=True)
class Restriction:
    """Since when, why and by whose key what is kept of a customer must not be used."""

    since: datetime
    reason: str
    taken_by: str


class Erasures:
    """The use cases of erasure and restriction. Times are the wall's: the law knows no other."""

    def __init__(
        self,
        contacts: Store,
        addresses: Addresses,
        ledger: Ledger,
        works: Works,
        tombstones: Tombstones,
        days: int,
        patience: Patience,
    ) -> None:
        self.contacts = contacts
        self.addresses = addresses
        self.ledger = ledger
        self.works = works
        self.tombstones = tombstones
        self.term = timedelta(days=days)
        self.patience = patience
        self._said: dict[str, datetime] = {}

    async def request(self, unit: Unit, customer: str, wish: Wish) -> Erasure:
        """Erase a customer and all who were found to be them. Asked again, the same. Raises NoSuchContact."""
        if known := await self.tombstones.erasure_of(customer, unit.session):
            return await self.read(known, unit.session)
        now = milliseconds(datetime.now(UTC))
        book = await open_book(self.contacts, unit, {customer}, now)
        parts = book.parts(customer)
        if not parts:
            raise NoSuchContact(customer)
        contacts = [part.contact for part in parts.values()]
        leads = await self.addresses.leads(reached_by(contacts), parts, MAX_LEADS, unit.session)
        erasure = begun(
            Erasure(
                *(uuid7(now), tuple(sorted(parts)), wish.ground, wish.asked_by, wish.reference, wish.taken_by),
                *(now, now + self.term),
                leads=tuple(sorted(leads)),
            )
        )
        await self.ledger.begin(erasure, traces_of(contacts), unit.session)
        removed = await self.ledger.vacate(erasure.customers, unit.session)
        await self.works.take(erasure.fact, erasure.customers, unit.session, removed)
        book.tell(erasure.fact, erasure.customers)
        log.info("erasure_requested", erasure_id=erasure.erasure_id, customers=len(parts), leads=len(leads))
        return erasure

    async def read(self, erasure_id: str, session: Session | None = None) -> Erasure:
        """Raises NoSuchErasure."""
        erasure = await self.ledger.erasure(erasure_id, session)
        if erasure is None:
            raise NoSuchErasure(erasure_id)
        return erasure

    async def note(self, unit: Unit, events: Sequence[Received]) -> None:
        """Places say that they have something, or nothing any more (`crm.erasures`)."""
        ledger: dict[str, tuple[Erasure, Erasure]] = {}
        for event in events:
            fact: ErasureAwaited | ErasureDone = event.fact
            before, after = ledger.get(fact.erasure_id, (None, None))
            before = before or await self.ledger.erasure(fact.erasure_id, unit.session)
            if before is None:
                log.warning("erasure_unknown", erasure_id=fact.erasure_id, place=fact.place)
                continue
            after = after or before
            after = awaited(after, fact) if isinstance(fact, ErasureAwaited) else receipted(after, fact)
            ledger[fact.erasure_id] = before, after
        for before, after in ledger.values():
            if after != before:
                drop = NEEDS_TRACES not in after.open_places
                await self.ledger.update(after, drop_traces=drop, session=unit.session)

    async def look(self) -> None:
        """Count what is open, and say loudly what is late: once a day for each erasure and place."""
        now = datetime.now(UTC)
        found = [(one, late_places(one, now, self.patience)) async for one in self.ledger.unfinished()]
        counts = summary(found)
        for kind in (*SERVICES, "log", "channel"):
            metrics.ERASURES_OPEN.labels(kind).set(counts["open"].get(kind, 0))
            metrics.ERASURES_LATE.labels(kind).set(counts["late"].get(kind, 0))
        for erasure, places in found:
            for place in places:
                self._say(erasure, place, now)

    def _say(self, erasure: Erasure, place: str, now: datetime) -> None:
        name = f"{erasure.erasure_id} {place}"
        if name in self._said and now - self._said[name] < timedelta(days=1):
            return
        self._said[name] = now
        days = (now - erasure.requested_at).days
        left = (erasure.deadline - now).days
        log.error("erasure_still_open", erasure_id=erasure.erasure_id, place=place, days=days, days_left=left)

    async def restrict(self, unit: Unit, customer: str, reason: str, taken_by: str) -> Restriction:
        """From now on nothing known of the customer is used. Who is restricted stays so as they are."""
        parts = await self._meet(unit, customer)
        known = await self.ledger.restricted(parts, unit.session)
        now = milliseconds(datetime.now(UTC))
        restriction = Restriction(min((one.since for one in known.values()), default=now), reason, taken_by)
        new = [one for one in parts if one not in known]
        if new:
            await self.ledger.restrict(new, restriction, unit.session)
            await self._tell(unit, new, restricted=True, now=now)
        return next(iter(known.values()), restriction)

    async def after_merge(self, unit: Unit, parts: Sequence[str]) -> None:
        """Who is found to be somebody restricted is restricted, and stays so if the merge is taken back."""
        known = await self.ledger.restricted(parts, unit.session)
        new = [one for one in parts if one not in known]
        if known and new:
            oldest = min(known.values(), key=lambda one: one.since)
            await self.ledger.restrict(new, oldest, unit.session)
            await self._tell(unit, new, restricted=True, now=milliseconds(datetime.now(UTC)))

    async def lift(self, unit: Unit, customer: str) -> None:
        """What is known may be used again. Of who was not restricted nothing changes."""
        parts = await self._meet(unit, customer)
        known = await self.ledger.restricted(parts, unit.session)
        if known:
            await self.ledger.lift(sorted(known), unit.session)
            await self._tell(unit, sorted(known), restricted=False, now=milliseconds(datetime.now(UTC)))

    async def restriction(self, customer: str) -> Restriction | None:
        """The oldest of all who are one. Raises NoSuchContact."""
        contact = await self.contacts.contact(customer)
        if contact is None:
            raise NoSuchContact(customer)
        known = await self.ledger.restricted([contact.customer_id, *contact.absorbed], None)
        return min(known.values(), key=lambda one: one.since, default=None)

    async def _meet(self, unit: Unit, customer: str) -> list[str]:
        """All who are one with the customer; whoever makes them others at the same time, or erases them, meets us. Raises NoSuchContact."""
        book = await open_book(self.contacts, unit, {customer}, unit.now)
        if not (parts := book.parts(customer)):
            raise NoSuchContact(customer)
        book.meet(customer)
        await book.save(self.contacts)
        return sorted(parts)

    async def _tell(self, unit: Unit, customers: Sequence[str], *, restricted: bool, now: datetime) -> None:
        book = await open_book(self.contacts, unit, (), now)
        for customer in customers:
            book.tell(ContactRestricted(customer_id=customer, restricted=restricted, since=now), (customer,))
