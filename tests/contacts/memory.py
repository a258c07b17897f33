"""Contacts kept in memory; passes the same tests as the real store."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from services.contacts.domain.identities import Conflict
from services.contacts.domain.survivorship import Known
from services.contacts.domain.values import search
from services.contacts.handlers import Changes
from services.contacts.store import _keys
from shared.contracts.contacts import Consent, Contact
from shared.mongo import Session


class MemoryStore:
    def __init__(self) -> None:
        self.contacts: dict[str, Known] = {}
        self.identities: dict[str, str] = {}
        self.said: dict[str, list[Consent]] = {}
        self.heard_before = 0
        self.conflicts: dict[frozenset[str], Conflict] = {}

    async def owners(self, identifiers: Collection[str], session: Session | None) -> dict[str, str]:
        return {name: self.identities[name] for name in identifiers if name in self.identities}

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]:
        return {customer: self.contacts[customer] for customer in customers if customer in self.contacts}

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
            self.conflicts.setdefault(frozenset((conflict.kept, conflict.other)), conflict)

    async def duplicates(self) -> int:
        return self.heard_before

    async def contact(self, customer: str) -> Contact | None:
        return self.contacts[customer].contact if customer in self.contacts else None

    async def page(self, after: str, limit: int) -> list[Contact]:
        return [self.contacts[customer].contact for customer in sorted(self.contacts) if customer > after][:limit]

    async def found(self, typed: str, after: str, limit: int) -> list[Contact]:
        following = await self.page(after, len(self.contacts))
        return [one for one in following if search.matches(typed, set(_keys(one)))][:limit]

    async def count(self) -> int:
        return len(self.contacts)

    async def consents_said(
        self, customer: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Consent]]:
        places = [(repr(consent), consent) for consent in self.said.get(customer, [])]
        places.sort(key=lambda pair: (-pair[1].given_at.timestamp(), pair[0]))
        if before:
            start = (-before[0].timestamp(), before[1])
            places = [pair for pair in places if (-pair[1].given_at.timestamp(), pair[0]) > start]
        return places[:limit]


class MemoryReports:
    """The report of quality kept in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.owner: str | None = None
        self.leased_until = self.due = datetime.min.replace(tzinfo=UTC)
        self.kept: dict[str, Any] | None = None

    async def claim(self, owner: str, now: datetime, lease: timedelta) -> bool:
        if max(self.due, self.leased_until) > now:
            return False
        self.owner, self.leased_until = owner, now + lease
        return True

    async def renew(self, owner: str, now: datetime, lease: timedelta) -> bool:
        if self.owner != owner:
            return False
        self.leased_until = now + lease
        return True

    async def save_report(self, owner: str, report: dict[str, Any], due: datetime) -> None:
        if self.owner == owner:
            self.kept, self.due, self.owner = report, due, None
            self.leased_until = datetime.min.replace(tzinfo=UTC)

    async def report(self) -> dict[str, Any] | None:
        return self.kept

    async def piece(self, after: str, limit: int) -> list[Known]:
        following = [customer for customer in sorted(self.store.contacts) if customer > after]
        return [self.store.contacts[customer] for customer in following[:limit]]

    async def one(self, customer: str) -> Known | None:
        return self.store.contacts.get(customer)
