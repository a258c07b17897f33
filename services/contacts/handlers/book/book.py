"""The book: what is heard of the customers of one transaction, and what comes of it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import structlog

from services.contacts.domain.barring import relisted
from services.contacts.domain.changes import Author, Kind
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
from services.contacts.handlers.book.differences import differing, identified, moved
from services.contacts.handlers.book.store import Changes, Store
from services.contacts.handlers.chronicle import Chronicle
from shared.contracts.contacts import CONTACTS, Consent, Contact, ContactChanged, ContactRegistered
from shared.contracts.fact import Fact
from shared.messaging import Received, Unit

log = structlog.get_logger(__name__)
NOBODY = Author()
"""Behind what follows from other data."""
LISTED = "/do-not-contact"
"""Who says what follows from lists."""
SPARE = 160 * 1024
"""Bytes of a contact that channels may not fill: what we say of it ourselves must fit, and what others tell beside it."""


class Word(NamedTuple):
    """On whose word something changes, when they said it, and what brought it."""

    author: Author = NOBODY
    cause: Received | None = None
    origin: str | None = None
    said_at: datetime | None = None


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
        """Fold statements of one source into a contact, and publish and keep what others can see of it. Raises TooManyConsents,
        TooLarge; then it is as if nothing had been said.
        """
        after = self.current.get(customer) or newcomer(customer, self.now)
        for one in told:
            after = fold(after, one, self.country, self.rules)
            self._warn_if_full(after, one)
        author = author or (Author(cause.source, event_id=cause.id) if cause else Author())
        contact = self._take(after, Word(author, cause, origin, max((one.said_at for one in told), default=None)))
        self.consents += [(customer, consent) for one in told for consent in one.consents]
        return contact

    def take(self, part: Known, author: Author = NOBODY) -> None:
        """A part of somebody as it is from now on, and what others see different by it."""
        self._take(part, Word(author))

    def _take(self, part: Known, word: Word) -> Contact:
        if not part.place.alone:
            return self._take_part(part, word)
        customer = part.contact.customer_id
        before = self.current.get(customer)
        after, changed = revise(before, part, self.now)
        if before is None:
            self._publish(ContactRegistered(contact=after.contact), customer, word)
        elif changed:
            self._publish(ContactChanged(contact=after.contact, changed=changed), customer, word)
        self.current[customer] = after
        if before is None or changed:
            old = before.contact if before else None
            self.chronicle.said(old, after.contact, changed, after, word.author, word.said_at)
        return after.contact

    def _take_part(self, part: Known, word: Word) -> Contact:
        """What is said of one of several who are one is published of their root."""
        customer = part.contact.customer_id
        root, before = self.root(customer), self.current[self.root(customer)].published
        if part == self.current[customer]:
            return before
        after, changed = self._regroup(root, {**self.current, customer: part}, word)
        if changed:
            self.chronicle.said(before, after, changed, self._with_times_of_all(part), word.author, word.said_at)
        return after

    def tell_again(self, root: str, about: list[str], author: Author) -> None:
        """A version of its own though nothing is different: these fields mean something else by now."""
        known = self.current[root]
        after = self.current[root] = renewed(known, self.now)
        self._publish(ContactChanged(contact=after.published, changed=about), root, Word(author))
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
        after, changed = self._regroup(root, judged, Word(author))
        if changed:
            self.chronicle.said(before, after, changed, whole, author, None)

    def _with_times_of_all(self, part: Known) -> Known:
        """By rules what holds once a part has spoken may be what another has said before, and is not to be taken for its own."""
        if not self.rules:
            return part
        root = self.root(part.contact.customer_id)
        return replace(part, said=together(root, self.parts(root), self.country, self.rules).said)

    def _regroup(
        self, root: str, parts: Mapping[str, Known], word: Word, *, set_free: bool = False
    ) -> tuple[Contact, list[str]]:
        """Take over these parts, and publish what they make of the root; what that is, and what is different of it."""
        after, changed = regrouped(parts, root, self.now, self.country, self.rules, set_free=set_free)
        if changed:
            self._publish(ContactChanged(contact=after.published, changed=changed), root, word)
        self.current.update(parts)
        self.current[root] = after
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
        after, changed = self._regroup(root, parts, Word(decided), set_free=set_free)
        self.chronicle.regrouped(kind, merge, before, after, changed, parts[merge.absorbed], decided)

    def tell(self, fact: Fact, customers: Iterable[str]) -> None:
        """A fact that concerns several customers, under the id of each."""
        for customer in customers:
            self._publish(fact, customer, Word())

    def meet(self, customer: str) -> None:
        """Write who answers for a customer though nothing is different: of two who decide by who is one, the later is run again."""
        root = self.root(customer)
        known = self.current[root]
        self.current[root] = replace(known, place=replace(known.place, beat=known.place.beat + 1))

    def _publish(self, fact: Fact, customer: str, word: Word) -> None:
        cause, origin = word.cause, word.origin
        # What came over HTTP has no causing event, but the request's correlation id.
        asked = None if cause else structlog.contextvars.get_contextvars().get("correlation_id")
        time, spare = (None, SPARE) if cause else (self.now, 0)
        self.unit.publish(
            CONTACTS, fact, key=customer, cause=cause, origin=origin, correlation_id=asked, time=time, spare=spare
        )

    def _warn_if_full(self, known: Known, told: Statement) -> None:
        if len(known.contact.identifiers) == MAX_IDENTIFIERS and told.identifiers:
            log.warning("contact_takes_no_more_identifiers", customer_id=known.contact.customer_id)

    async def save(self, store: Store, duplicates: Mapping[int, int] | None = None, kept: Collection[str] = ()) -> None:
        """Hold new addresses against the lists of those who are not to be contacted, and write it all.

        `duplicates` as in `Changes`. `kept`: customers to be written also if nothing of them has changed.
        """
        at_new_places = moved(self.loaded, self.current)
        if at_new_places:
            await self.list_again(store, at_new_places)
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

    def changes(self) -> Changes:
        written = differing(self.loaded, self.current)
        identities = identified(self.loaded, written)
        return Changes(written, identities, self.conflicts, self.consents, self.merges, self.chronicle.changes)
