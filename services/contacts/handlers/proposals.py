"""What is kept to find duplicates by, what has been learnt and is wanted, and what is proposed; and who keeps it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contacts.domain.matching.explain import Explanation
from services.contacts.domain.matching.proposals import Customers, Knowledge, Limits, unlearnt
from services.contacts.domain.matching.record import Record
from services.contacts.domain.survivorship import Known


@dataclass(frozen=True)
class Kept:
    """A customer's record as it is kept to be found, with all whom they were found to be. `mark`: what was known and wanted when
    their pairs were last found; empty until they were.
    """

    customer: str
    record: Record
    members: tuple[str, ...] = ()
    mark: str = ""

    @property
    def everybody(self) -> tuple[str, ...]:
        return (self.customer, *self.members)

    def same(self, other: "Kept") -> bool:
        return (self.record, self.members) == (other.record, other.members)


@dataclass(frozen=True)
class Model:
    """What has been learnt, by party. Version 0: nothing yet."""

    version: int
    of_party: Mapping[str, Knowledge]

    def knowledge(self, party: str) -> Knowledge:
        return self.of_party.get(party) or unlearnt(party, 0)


@dataclass(frozen=True)
class Wanted:
    """The limits that an installation has set, for the so manieth time."""

    limits: Limits
    revision: int = 0


def mark(version: int, revision: int) -> str:
    """What was known and wanted, in a word: pairs that were found with another are to be found anew."""
    return f"{version}.{revision}"


@dataclass(frozen=True)
class Report:
    """A channel's claim that two customers are one."""

    customers: Customers
    identifiers: tuple[str, ...]
    seen_at: datetime


@dataclass(frozen=True)
class Proposal:
    """Two customers who may be one: found by us (`why`), reported by a channel (`identifiers`), or both."""

    customers: Customers
    probability: float | None
    """None: they have nothing that can be compared."""
    why: Explanation | None
    identifiers: tuple[str, ...]
    seen_at: datetime
    found: bool = True
    """Whether it would be here had no channel reported it."""


@dataclass(frozen=True)
class Decided:
    """What became of a pair: `merged` or `rejected`, by whom, when and why."""

    state: str
    by: str
    at: datetime
    reason: str | None = None
    merge_id: str | None = None


@dataclass(frozen=True)
class Pair:
    """A pair as it is kept."""

    name: str
    proposal: Proposal
    decided: Decided | None

    @property
    def customers(self) -> Customers:
        return self.proposal.customers


class Records(Protocol):
    """What is kept to find duplicates by."""

    async def load(self, customers: Collection[str]) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""

    async def kept(self, customers: Collection[str]) -> dict[str, Kept]:
        """Their records; unknown ones are absent."""

    async def put(self, records: Sequence[Kept]) -> None:
        """Keep these, to be found from now on."""

    async def drop(self, customers: Collection[str]) -> None:
        """Keep no records of these."""

    async def forget(self, customers: Collection[str]) -> None:
        """Keep nothing of these, who are no customers any more, not even what was decided."""

    async def holders(self, records: Sequence[Record]) -> list[list[str]]:
        """Of each record, customers who share a key with it, those that share most first."""

    async def settle(self, customers: Collection[str], mark: str) -> None:
        """Note what their pairs were found with."""

    async def reported(self, customers: Collection[str]) -> list[Report]:
        """What channels reported of any of these."""

    async def rejected(self, customers: Collection[str]) -> set[Customers]:
        """Pairs with any of these of which a person said that they are not one: by rejecting them, or by undoing a merge."""

    async def proposals_of(self, customers: Collection[str]) -> set[Customers]:
        """The open pairs of any of these."""

    async def propose(self, proposals: Sequence[Proposal], dropped: Collection[Customers]) -> None:
        """Keep these as open and forget those, unless they were decided."""

    async def model(self) -> Model:
        """The latest version of what was learnt."""

    async def wanted(self) -> Wanted:
        """The limits in force."""
