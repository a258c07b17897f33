"""Contacts kept in memory; passes the same tests as the real store."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.barring import Listed, addresses
from services.contacts.domain.changes import Change
from services.contacts.domain.following import course_of
from services.contacts.domain.identities import Conflict
from services.contacts.domain.lifecycle import Course
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known
from services.contacts.domain.traits import Wanted, has
from services.contacts.domain.values import search
from services.contacts.domain.values.found import At, Found
from services.contacts.domain.values.slips import Slips
from services.contacts.handlers import Changes
from services.contacts.handlers.rulebook import Rulebook
from services.contacts.store.rows import number_of, search_keys
from shared.contracts.contacts import Consent, Contact
from shared.leases import Lease, OwnLease
from shared.mongo import Session


class MemoryStore:
    def __init__(self) -> None:
        self.contacts: dict[str, Known] = {}
        self.identities: dict[str, str] = {}
        self.said: dict[str, list[Consent]] = {}
        self.heard_before = 0
        self.conflicts: dict[str, tuple[Conflict, datetime]] = {}
        self.merges: dict[str, Merge] = {}
        self.history: dict[str, Change] = {}
        self.rulebook = Rulebook()
        self.lists: dict[str, Listed] = {}
        self.restrictions: set[str] = set()

    async def owners(self, identifiers: Collection[str], session: Session | None) -> dict[str, str]:
        return {name: self.identities[name] for name in identifiers if name in self.identities}

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]:
        return {customer: self.contacts[customer] for customer in customers if customer in self.contacts}

    async def courses(self, customers: Collection[str], session: Session | None) -> dict[str, Course]:
        return {customer: course_of(known) for customer, known in (await self.load(customers, None)).items()}

    async def restricted(self, customers: Collection[str], session: Session | None = None) -> set[str]:
        return self.restrictions & set(customers)

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:
        assert not self.identities.keys() & changes.identities.keys(), "an identity is given once"
        self.contacts.update({known.contact.customer_id: known for known in changes.contacts})
        self.identities.update(changes.identities)
        for customer, consent in changes.consents:
            kept = self.said.setdefault(customer, [])
            if consent not in kept:
                kept.append(consent)
        self.heard_before += sum(changes.duplicates.values())
        for conflict in changes.conflicts:
            self.conflicts.setdefault("|".join(sorted((conflict.kept, conflict.other))), (conflict, now))
        assert not self.history.keys() & {change.place for change in changes.history}, "a version is made once"
        self.history.update({change.place: change for change in changes.history})
        self.merges.update({merge.merge_id: merge for merge in changes.merges})

    async def duplicates(self) -> int:
        return self.heard_before

    async def listed(self, contacts: Collection[Contact], session: Session | None) -> dict[str, list[Listed]]:
        found = {one.customer_id: [self.lists[a] for a in addresses(one) if a in self.lists] for one in contacts}
        return {customer: entries for customer, entries in found.items() if entries}

    async def contact(self, customer: str) -> Contact | None:
        known = self.contacts.get(customer)
        if known and known.place.root:
            known = self.contacts[known.place.root]
        return known.published if known else None

    async def page(self, after: str, limit: int, rows: Rows = EVERYBODY) -> list[Contact]:
        roots = [customer for customer in sorted(self.contacts) if self.contacts[customer].place.root is None]
        published = [self.contacts[customer].published for customer in roots if customer > after]
        return [one for one in published if rows.sees(one)][:limit]

    async def found(
        self, typed: str, after: At | None, limit: int, rows: Rows = EVERYBODY, wanted: Sequence[Wanted] = ()
    ) -> Found:
        ways, slips = search.ranges(typed), Slips(typed)
        everybody = {
            customer: known
            for customer, known in self.contacts.items()
            if rows.sees(known.published) and all(has(known.published, one) for one in wanted)
        }
        places = {customer: search.place(ways, set(search_keys(known))) for customer, known in everybody.items()}
        found = sorted(At(where, number_of(customer), customer) for customer, where in places.items() if where)
        if not (found or (after and after.place.range < slips.range)):
            places = {customer: slips.place(set(search_keys(known))) for customer, known in everybody.items()}
            found = sorted(At(where, number_of(customer), customer) for customer, where in places.items() if where)
        page = [at for at in found if after is None or at > after][:limit]
        return Found([everybody[at.customer].published for at in page], page[-1] if len(page) == limit else None)

    async def count(self, rows: Rows = EVERYBODY) -> int:
        return len(await self.page("", len(self.contacts), rows))

    async def merge(self, merge_id: str, session: Session | None) -> Merge | None:
        return self.merges.get(merge_id)

    async def merges_of(self, customers: Collection[str], before: str | None, limit: int) -> list[Merge]:
        theirs = [merge for merge in self.merges.values() if {merge.survivor, merge.absorbed} & set(customers)]
        latest = sorted(theirs, key=lambda merge: merge.merge_id, reverse=True)
        return [merge for merge in latest if before is None or merge.merge_id < before][:limit]

    async def changes_of(
        self, customers: Collection[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Change]]:
        about = [change for change in self.history.values() if {change.customer_id, change.of} & set(customers)]
        about.sort(key=lambda change: (change.recorded_at, change.place), reverse=True)
        return [(c.place, c) for c in about if before is None or (c.recorded_at, c.place) < before][:limit]

    async def under(self, customer: str) -> AsyncIterator[Change]:
        for place in sorted(self.history, reverse=True):
            if self.history[place].customer_id == customer:
                yield self.history[place]

    async def consents_said(
        self, customers: Collection[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]:
        places = [(repr(consent), consent) for customer in customers for consent in self.said.get(customer, [])]
        places.sort(key=lambda pair: (-pair[1].given_at.timestamp(), pair[0]))
        if before:
            start = (-before[0].timestamp(), before[1])
            places = [pair for pair in places if (-pair[1].given_at.timestamp(), pair[0]) > start]
        return places[:limit]


class MemoryReports:
    """The report of quality kept in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.lease: Lease = OwnLease()
        self.kept: dict[str, Any] | None = None

    async def save_report(self, report: dict[str, Any]) -> None:
        self.kept = report

    async def report(self) -> dict[str, Any] | None:
        return self.kept

    async def piece(self, after: str, limit: int) -> list[Known]:
        following = [known for customer, known in sorted(self.store.contacts.items()) if customer > after]
        return [known for known in following if known.place.root is None][:limit]

    async def load(self, customers: Collection[str]) -> dict[str, Known]:
        return await self.store.load(customers, None)
