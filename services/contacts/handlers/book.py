"""The contacts of one transaction: loaded once, folded in memory, told to the others, saved once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from services.contacts.domain.barring import Listed, addresses, relisted
from services.contacts.domain.changes import Author, Change, Kind
from services.contacts.domain.identities import Conflict
from services.contacts.domain.merging import Merge, regrouped, renewed, together
from services.contacts.domain.reconsidering import judged_again
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import (
    MAX_IDENTIFIERS,
    NO_RULES,
    Known,
    Statement,
    differences,
    fold,
    newcomer,
    revise,
    settled,
)
from services.contacts.handlers.chronicle import Chronicle
from services.contacts.handlers.rulebook import Rulebook
from shared.contracts.contacts import CONTACTS, Consent, Contact, ContactChanged, ContactRegistered
from shared.contracts.fact import Fact
from shared.messaging import Received, Unit
from shared.mongo import Session

log = structlog.get_logger(__name__)
NOBODY = Author()
"""Behind what follows from other data."""
LISTED = "/do-not-contact"
"""Who says what follows from lists."""


@dataclass
class Changes:
    """What a transaction writes. `consents` holds what was said by each customer, also what did not prevail."""

    contacts: list[Known] = field(default_factory=list)
    identities: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    consents: list[tuple[str, Consent]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    history: list[Change] = field(default_factory=list)
    duplicates: Mapping[int, int] = field(default_factory=dict)
    """Events heard before, by partition: each is one instance's, so that no two write the same count."""


class Store(Protocol):
    """Where contacts are kept, beside the rules by which they are. Each call is a round trip or a few, for any number of them."""

    rulebook: Rulebook

    async def owners(self, identifiers: Collection[str], session: Session | None) -> dict[str, str]:
        """Whose these identifiers are; unknown ones are absent."""

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:
        """Write it all. A conflict or a consent that is kept already stays as it is."""

    async def listed(self, contacts: Collection[Contact], session: Session | None) -> Mapping[str, Sequence[Listed]]:
        """What lists of those who are not to be contacted say of the addresses of these contacts; of whom nothing, is absent."""

    async def contact(self, customer: str) -> Contact | None:
        """A customer's contact as it is published; of one who was merged into another, that one's."""

    async def merge(self, merge_id: str, session: Session | None) -> Merge | None:
        """A merge, undone or not."""


async def open_book(
    store: Store, unit: Unit, customers: Collection[str], now: datetime, country: str | None = None
) -> "Book":
    """A book of these customers and of all whom they were found to be. Those who are alone cost nothing more."""
    rules = await store.rulebook.current()
    loaded = await store.load(customers, unit.session) if customers else {}
    roots = {known.place.root for known in loaded.values() if known.place.root} - loaded.keys()
    if roots:
        loaded |= await store.load(roots, unit.session)
    members = {member for known in loaded.values() for member in known.place.members} - loaded.keys()
    if members:
        loaded |= await store.load(members, unit.session)
    return Book(unit, loaded, now, country, rules)


class Book:
    """Collects what a transaction hears, and publishes each change once."""

    def __init__(
        self,
        unit: Unit,
        loaded: Mapping[str, Known],
        now: datetime,
        country: str | None = None,
        rules: Rules = NO_RULES,
    ) -> None:
        self.unit = unit
        self.loaded = loaded
        self.current = dict(loaded)
        self.conflicts: list[Conflict] = []
        self.consents: list[tuple[str, Consent]] = []
        self.merges: list[Merge] = []
        self.chronicle = Chronicle(now)
        self.now = now
        self.country = country
        self.rules = rules

    def root(self, customer: str) -> str:
        """Who answers for a customer."""
        known = self.current.get(customer)
        return (known.place.root if known else None) or customer

    def parts(self, customer: str) -> dict[str, Known]:
        """All whom a customer was found to be, themselves too; nobody, if there is no such customer."""
        root = self.root(customer)
        known = self.current.get(root)
        return {one: self.current[one] for one in (root, *known.place.members)} if known else {}

    def note(self, conflicts: Iterable[Conflict]) -> None:
        """Keep those that are about two customers still."""
        self.conflicts += [one for one in conflicts if self.root(one.kept) != self.root(one.other)]

    def hear(
        self,
        customer: str,
        told: Sequence[Statement],
        cause: Received | None = None,
        origin: str | None = None,
        author: Author | None = None,
    ) -> Contact:
        """Fold statements of one source into a contact, and publish and keep what others can see of it."""
        before = self.current.get(customer)
        after = before or newcomer(customer, self.now)
        author = author or (Author(cause.source, event_id=cause.id) if cause else Author())
        said_at = max((one.said_at for one in told), default=None)
        for one in told:
            after = fold(after, one, self.country, self.rules)
            self.consents += [(customer, consent) for consent in one.consents]
            self._warn_if_full(after, one)
        if before is not None and not before.place.alone:
            return self._hear_part(after, cause, origin, author, said_at)
        after, changed = revise(before, after, self.now)
        self.current[customer] = after
        if before is None:
            self._publish(ContactRegistered(contact=after.contact), customer, cause, origin)
            self.chronicle.said(None, after.contact, changed, after, author, said_at)
        elif changed:
            self._publish(ContactChanged(contact=after.contact, changed=changed), customer, cause, origin)
            self.chronicle.said(before.contact, after.contact, changed, after, author, said_at)
        return after.contact

    def take(self, part: Known, author: Author = NOBODY) -> None:
        """A part of somebody as it is from now on, and what others see different by it."""
        customer = part.contact.customer_id
        if not part.place.alone:
            self._hear_part(part, None, None, author, None)
            return
        before = self.current[customer]
        after, changed = revise(before, part, self.now)
        self.current[customer] = after
        if changed:
            self._publish(ContactChanged(contact=after.contact, changed=changed), customer, None, None)
            self.chronicle.said(before.contact, after.contact, changed, after, author, None)

    def tell_again(self, root: str, about: list[str], author: Author) -> None:
        """A version of its own though nothing is different: these fields mean something else by now."""
        known = self.current[root]
        after = self.current[root] = renewed(known, self.now)
        self._publish(ContactChanged(contact=after.published, changed=about), root, None, None)
        self.chronicle.said(known.published, after.published, (), after, author, None)

    def judge_again(self, root: str, author: Author) -> None:
        """What others see of a root by today's rules, of all that was said of its parts."""
        parts = self.parts(root)
        judged = {one: settled(judged_again(part, self.rules), self.country) for one, part in parts.items()}
        if parts[root].place.alone:
            self.take(judged[root], author)
            return
        before, whole = parts[root].published, together(root, judged, self.country, self.rules)
        if judged == parts and not differences(before, whole.contact):
            return
        after, changed = self.regroup(root, judged)
        if changed:
            self.chronicle.said(before, after, changed, whole, author, None)

    def _hear_part(
        self, part: Known, cause: Received | None, origin: str | None, author: Author, said_at: datetime | None
    ) -> Contact:
        """What is said of one of several who are one is published of their root."""
        customer = part.contact.customer_id
        root, before = self.root(customer), self.current[self.root(customer)].published
        if part == self.current[customer]:
            return before
        after, changed = self.regroup(root, {**self.current, customer: part}, cause, origin)
        if changed:
            self.chronicle.said(before, after, changed, self._with_times_of_all(part), author, said_at)
        return after

    def _with_times_of_all(self, part: Known) -> Known:
        """By rules what holds once a part has spoken may be what another has said before, and is not to be taken for its own."""
        if not self.rules:
            return part
        root = self.root(part.contact.customer_id)
        return replace(part, said=together(root, self.parts(root), self.country, self.rules).said)

    def regroup(
        self,
        root: str,
        parts: Mapping[str, Known],
        cause: Received | None = None,
        origin: str | None = None,
        *,
        set_free: bool = False,
    ) -> tuple[Contact, list[str]]:
        """Take over these parts, and publish what they make of the root; what that is, and what is different of it."""
        after, changed = regrouped(parts, root, self.now, self.country, self.rules, set_free=set_free)
        self.current.update(parts)
        self.current[root] = after
        if changed:
            self._publish(ContactChanged(contact=after.published, changed=changed), root, cause, origin)
        return after.published, changed

    def regroup_after(
        self,
        kind: Kind,
        merge: Merge,
        root: str,
        parts: Mapping[str, Known],
        decided: Author,
        *,
        set_free: bool = False,
    ) -> None:
        """Take over these parts, because a merge has come or is taken back."""
        before = self.current[root].published
        after, changed = self.regroup(root, parts, set_free=set_free)
        self.chronicle.regrouped(kind, merge, before, after, changed, parts[merge.absorbed], decided)

    def tell(self, fact: Fact, customers: Iterable[str]) -> None:
        """A fact that concerns several customers, under the id of each."""
        for customer in customers:
            self._publish(fact, customer, None, None)

    def _publish(self, fact: Fact, customer: str, cause: Received | None, origin: str | None) -> None:
        # What came over HTTP has no causing event, but the request's correlation id.
        asked = None if cause else structlog.contextvars.get_contextvars().get("correlation_id")
        time = None if cause else self.now
        self.unit.publish(CONTACTS, fact, key=customer, cause=cause, origin=origin, correlation_id=asked, time=time)

    def _warn_if_full(self, known: Known, told: Statement) -> None:
        if len(known.contact.identifiers) == MAX_IDENTIFIERS and told.identifiers:
            log.warning("contact_takes_no_more_identifiers", customer_id=known.contact.customer_id)

    async def save(self, store: Store, duplicates: Mapping[int, int] | None = None, kept: Collection[str] = ()) -> None:
        """Hold new addresses against the lists of those who are not to be contacted, and write it all.

        `duplicates` as in `Changes`. `kept`: customers to be written also if nothing of them has changed.
        """
        moved = [known.contact for customer, known in self.current.items() if self._has_moved(customer, known)]
        if moved:
            await self.list_again(store, moved)
        changes = self.changes()
        written = {known.contact.customer_id for known in changes.contacts}
        again = [self.current[one] for one in kept if one not in written]
        changes = replace(changes, contacts=[*changes.contacts, *again], duplicates=duplicates or {})
        await store.save(changes, self.unit.session, self.now)

    async def list_again(self, store: Store, contacts: Collection[Contact]) -> None:
        """What lists say of these contacts, each by itself, holds from now on."""
        found = await store.listed(contacts, self.unit.session)
        for contact in contacts:
            after = relisted(contact, found.get(contact.customer_id, ()), self.now)
            if after is not contact:
                self.take(replace(self.current[contact.customer_id], contact=after), Author(LISTED))

    def _has_moved(self, customer: str, known: Known) -> bool:
        before = self.loaded.get(customer)
        if before is not None and before.contact is known.contact:
            return False
        return (addresses(before.contact) if before else frozenset()) != addresses(known.contact)

    def changes(self) -> Changes:
        changed = [known for customer, known in self.current.items() if known != self.loaded.get(customer)]
        identities = {}
        for known in changed:
            customer = known.contact.customer_id
            held = self.loaded[customer].contact.identifiers if customer in self.loaded else []
            new = {str(one) for one in known.contact.identifiers} - {str(one) for one in held}
            identities.update(dict.fromkeys(new, customer))
        return Changes(changed, identities, self.conflicts, self.consents, self.merges, self.chronicle.changes)
