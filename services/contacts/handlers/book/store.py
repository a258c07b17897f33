"""What a transaction writes of contacts, and where they are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.contacts.domain.barring import Listed
from services.contacts.domain.changes import Change
from services.contacts.domain.identities import Conflict
from services.contacts.domain.merging import Merge
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.rulebook import Rulebook
from shared.contracts.contacts import Consent, Contact
from shared.mongo import Session


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
