"""The contacts of one transaction: loaded once, folded in memory, told to the others, saved once."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import structlog

from services.contacts.domain.identities import Conflict
from services.contacts.domain.survivorship import MAX_IDENTIFIERS, Known, Statement, fold, newcomer, revise
from shared.contracts.contacts import CONTACTS, Consent, Contact, ContactChanged, ContactRegistered
from shared.contracts.fact import Fact
from shared.messaging import Received, Unit
from shared.mongo import Session

log = structlog.get_logger(__name__)


@dataclass
class Changes:
    """What a transaction writes. `consents` holds what was said by each customer, also what did not prevail."""

    contacts: list[Known] = field(default_factory=list)
    identities: dict[str, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    consents: list[tuple[str, Consent]] = field(default_factory=list)
    duplicates: Mapping[int, int] = field(default_factory=dict)
    """Events heard before, by partition: each is one instance's, so that no two write the same count."""


class Store(Protocol):
    """Where contacts are kept. Each call is a round trip or a few, however many contacts it is about."""

    async def owners(self, identifiers: Collection[str], session: Session | None) -> dict[str, str]:
        """Whose these identifiers are; unknown ones are absent."""

    async def load(self, customers: Collection[str], session: Session | None) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""

    async def save(self, changes: Changes, session: Session | None, now: datetime) -> None:
        """Write it all. A conflict or a consent that is kept already stays as it is."""


class Book:
    """Collects what a transaction hears, and publishes each change once."""

    def __init__(
        self,
        unit: Unit,
        loaded: Mapping[str, Known],
        conflicts: list[Conflict],
        now: datetime,
        country: str | None = None,
    ) -> None:
        self.unit = unit
        self.loaded = loaded
        self.current = dict(loaded)
        self.conflicts = conflicts
        self.consents: list[tuple[str, Consent]] = []
        self.now = now
        self.country = country

    def hear(
        self, customer: str, told: Iterable[Statement], cause: Received | None = None, origin: str | None = None
    ) -> Contact:
        """Fold statements of one source into a contact, and publish what others can see of it."""
        before = self.current.get(customer)
        after = before or newcomer(customer, self.now)
        for one in told:
            after = fold(after, one, self.country)
            self.consents += [(customer, consent) for consent in one.consents]
            self._warn_if_full(after, one)
        after, changed = revise(before, after, self.now)
        self.current[customer] = after
        if before is None:
            self._publish(ContactRegistered(contact=after.contact), customer, cause, origin)
        elif changed:
            self._publish(ContactChanged(contact=after.contact, changed=changed), customer, cause, origin)
        return after.contact

    def _publish(self, fact: Fact, customer: str, cause: Received | None, origin: str | None) -> None:
        # What came over HTTP has no causing event, but the request's correlation id.
        asked = None if cause else structlog.contextvars.get_contextvars().get("correlation_id")
        time = None if cause else self.now
        self.unit.publish(CONTACTS, fact, key=customer, cause=cause, origin=origin, correlation_id=asked, time=time)

    def _warn_if_full(self, known: Known, told: Statement) -> None:
        if len(known.contact.identifiers) == MAX_IDENTIFIERS and told.identifiers:
            log.warning("contact_takes_no_more_identifiers", customer_id=known.contact.customer_id)

    def changes(self) -> Changes:
        changed = [known for customer, known in self.current.items() if known != self.loaded.get(customer)]
        identities = {}
        for known in changed:
            customer = known.contact.customer_id
            held = self.loaded[customer].contact.identifiers if customer in self.loaded else []
            new = {str(one) for one in known.contact.identifiers} - {str(one) for one in held}
            identities.update(dict.fromkeys(new, customer))
        return Changes(changed, identities, self.conflicts, self.consents)
