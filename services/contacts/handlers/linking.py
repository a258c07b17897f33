"""Linking parties, and reading who is linked to whom: from either end, as a hierarchy, as a household."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from services.contacts.domain import links
from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.changes import Author
from services.contacts.domain.hierarchy import MAX_LEVELS, Above, Climb
from services.contacts.domain.links import MAX_LINKS, RULES, UPWARD, Ends
from services.contacts.domain.survivorship import Statement, after_all_said
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.errors import NoSuchContact
from shared.clock import Clock
from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind, LinkKind, PartyLink
from shared.messaging import Unit
from shared.moments import to_the_millisecond
from shared.mongo import Session


class NoSuchLink(LookupError):
    """There is no such link, or it is over."""


class Unlinkable(ValueError):
    """The two cannot be linked so. `word`: why; the message says it in a sentence."""

    def __init__(self, word: str, why: str) -> None:
        super().__init__(why)
        self.word = word


class LinkReads(Protocol):
    """What is read of links, whoever holds them."""

    async def published(self, customers: Collection[str], session: Session | None = None) -> dict[str, Contact]: ...

    async def holders(
        self,
        others: Collection[str],
        kinds: Collection[HeldKind],
        *,
        after: str = "",
        limit: int = MAX_LINKS,
        among: Collection[str] | None = None,
        rows: Rows = EVERYBODY,
    ) -> list[str]: ...

    async def meet(self, tops: Collection[str], session: Session | None) -> None: ...


@dataclass(frozen=True)
class Details:
    """What is said of a link beside its ends, by whom."""

    source: str
    title: str | None = None
    department: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    evidence: str | None = None
    by: str | None = None
    """The name of the key."""
    origin: str | None = None
    """The channel that must not get an echo of it, if it was one."""


class Shown(NamedTuple):
    """A link as it is seen from one of its ends."""

    kind: LinkKind
    other: Contact | None
    link: PartyLink
    trouble: str | None
    """Why it does not hold, in a word; None if it does."""


class Linking:
    """The use cases of links. Those of merged customers are read of all their parts, and between who answers for both."""

    def __init__(self, store: Store, reads: LinkReads, clock: Clock, country: str | None = None) -> None:
        self.store = store
        self.reads = reads
        self.clock = clock
        self.country = country

    async def link(self, unit: Unit, customer: str, kind: LinkKind, other: str, details: Details) -> Shown:
        """Say that a customer is linked to another. Raises NoSuchContact, Unlinkable."""
        joined = links.ends(customer, kind, other)
        book, holder, to = await self._open(unit, joined)
        self._check(holder, to, joined)
        if joined.kind in UPWARD:
            await self._check_hierarchy(unit, holder, to, book.now)
        at = _latest(book, joined.holder, holder)
        said = PartyLink(
            kind=joined.kind,
            to=joined.to,
            title=details.title,
            department=details.department,
            valid_from=details.valid_from,
            valid_until=details.valid_until,
            source=details.source,
            said_at=at,
            stated_at=at,
            evidence=details.evidence,
        )
        after = _say(book, joined.holder, at, [said], details)
        await book.save(self.store)
        return _shown(joined.holder == customer, after, to, said, book.now)

    async def unlink(self, unit: Unit, customer: str, kind: LinkKind, other: str, details: Details) -> None:
        """Say that it is over, under whichever of the other's ids it was said. Raises NoSuchContact, NoSuchLink."""
        joined = links.ends(customer, kind, other)
        book, holder, to = await self._open(unit, joined)
        same = {to.customer_id, *to.absorbed, joined.to}
        held = [one for one in holder.links if one.kind == joined.kind and one.to in same and not one.ended]
        if not held:
            raise NoSuchLink(kind)
        at = _latest(book, joined.holder, holder)
        over = [one.model_copy(update={"ended": True, "said_at": at, "source": details.source}) for one in held]
        _say(book, joined.holder, at, over, details)
        await book.save(self.store)

    async def _open(self, unit: Unit, joined: Ends) -> tuple[Book, Contact, Contact]:
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, {joined.holder, joined.to}, now, self.country)
        for customer in (joined.holder, joined.to):
            if customer not in book.current:
                raise NoSuchContact(customer)
        holder, to = (book.current[book.root(customer)].published for customer in (joined.holder, joined.to))
        return book, holder, to

    @staticmethod
    def _check(holder: Contact, to: Contact, joined: Ends) -> None:
        kind = joined.kind
        if holder.customer_id == to.customer_id:
            raise Unlinkable("same-party", "is the contact itself")
        if not links.fits(kind, holder, to):
            rule = RULES[kind]
            whom = f"{' or '.join(rule.holders)} -> {' or '.join(rule.others)}"
            raise Unlinkable("wrong-party", f"`{kind}` joins {whom}, not {holder.party} -> {to.party}")
        same = [one for one in holder.links if one.kind == kind and not one.ended and one.to != joined.to]
        if len(same) >= MAX_LINKS:
            raise Unlinkable("too-many", f"a contact has at most {MAX_LINKS} links of a kind")

    async def _check_hierarchy(self, unit: Unit, holder: Contact, to: Contact, now: datetime) -> None:
        """Refuse circles, and meet whoever changes one of the two hierarchies at the same time."""
        parents = await self._climb(to, now, unit.session)
        if holder.customer_id in {one.customer_id for one in parents.path}:
            raise Unlinkable("circle", "stands below the contact already")
        if len(parents.path) >= MAX_LEVELS:
            raise Unlinkable("too-deep", f"a hierarchy has at most {MAX_LEVELS} levels")
        own = await self._climb(holder, now, unit.session)
        await self.reads.meet({parents.top, own.top, holder.customer_id}, unit.session)

    async def above(self, customer: str) -> Above:
        """The way up to the top of a customer's hierarchy. Raises NoSuchContact."""
        contact = (await self.reads.published([customer])).get(customer)
        if contact is None:
            raise NoSuchContact(customer)
        return await self._climb(contact, await self.clock.now(), None)

    async def _climb(self, contact: Contact, now: datetime, session: Session | None) -> Above:
        climb = Climb(now)
        while True:
            link = links.upward(contact.links, now)
            parent = (await self.reads.published([link.to], session)).get(link.to) if link else None
            if not climb.follow(contact, parent) or parent is None:
                return climb.above()
            contact = parent

    async def held(self, customer: str, kinds: Collection[HeldKind], rows: Rows = EVERYBODY) -> list[Shown]:
        """The links that a customer has to others, also those that do not hold. Raises NoSuchContact.

        `rows`: only the links of these contacts, and to these; nobody can say whether they may be seen who are unknown.
        """
        contact = await self._contact(customer, rows)
        others = await self.reads.published({one.to for one in contact.links})
        now = await self.clock.now()
        shown = [_shown(True, contact, others.get(one.to), one, now) for one in contact.links if one.kind in kinds]
        return [one for one in shown if rows.all or (one.other and rows.sees(one.other))]

    async def reached(
        self, customer: str, kinds: Collection[HeldKind], after: str, limit: int, rows: Rows = EVERYBODY
    ) -> tuple[list[Shown], str | None]:
        """The links that others have to a customer, and where the next of them begin. Raises NoSuchContact.

        `rows`: likewise.
        """
        contact = await self._contact(customer, rows)
        own = {contact.customer_id, *contact.absorbed}
        holders = await self.reads.holders(own, kinds, after=after, limit=limit, rows=rows)
        found = await self._whole(holders, own, kinds)
        now = await self.clock.now()
        shown = [
            _shown(False, holder, contact, link, now)
            for holder in found
            for link in holder.links
            if link.kind in kinds and link.to in own and rows.sees(holder)
        ]
        return shown, holders[-1] if len(holders) == limit else None

    async def _whole(self, parts: Sequence[str], own: Collection[str], kinds: Collection[HeldKind]) -> list[Contact]:
        """Who answers for these; of several parts of one who have the link, the first stands for all of them."""
        found = await self.reads.published(parts)
        whole = []
        for part in parts:
            members = {found[part].customer_id, *found[part].absorbed}
            alike = await self.reads.holders(own, kinds, among=members) if len(members) > 1 else [part]
            if part == alike[0]:
                whole.append(found[part])
        return whole

    async def _contact(self, customer: str, rows: Rows) -> Contact:
        contact = (await self.reads.published([customer])).get(customer)
        if contact is None or not rows.sees(contact):
            raise NoSuchContact(customer)
        return contact


def _say(book: Book, holder: str, at: datetime, said: Sequence[PartyLink], details: Details) -> Contact:
    told = Statement(details.source, at, links=said)
    return book.hear(holder, [told], origin=details.origin, author=Author(details.source, details.by))


def _latest(book: Book, part: str, holder: Contact) -> datetime:
    """When a person speaks now: later than all that channels have said of the party and its links."""
    spoken = max((one.said_at for one in holder.links), default=None)
    now = after_all_said(book.parts(part).values(), book.now)
    now = max(now, spoken + timedelta(milliseconds=1)) if spoken else now
    return to_the_millisecond(now)


def _shown(from_holder: bool, holder: Contact, to: Contact | None, link: PartyLink, now: datetime) -> Shown:
    reason = links.trouble(holder, link, to, now)
    if from_holder:
        return Shown(link.kind, to, link, reason)
    return Shown(RULES[link.kind].other_end, holder, link, reason)
