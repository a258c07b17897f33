"""Facts read in time order: when each contract ran, how often it was renewed, when payment failed, how it ended.

A payment that fails does not end a contract: it opens an episode, which ends by recovery or with the contract.
A contract whose start is not known yet is not counted; one that starts again after its end runs a second time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from services.scoring.domain.contracts.facts import ENDINGS, Cause, ContractFact, Contracts, Kind


class Episode(NamedTuple):
    """From a failed payment to its recovery, or to the contract's end; `until` is None while neither has come."""

    failed_at: datetime
    until: datetime | None = None
    recovered: bool = False


@dataclass(frozen=True)
class Spell:
    """One run of one contract."""

    contract: str
    started_at: datetime
    renewals: int = 0
    renewed_at: datetime | None = None
    episodes: tuple[Episode, ...] = field(default=())
    ended_at: datetime | None = None
    cause: Cause | None = None
    reason: str = ""

    @property
    def failing_since(self) -> datetime | None:
        """When the payment failed that is still missing; None where all is paid, or the contract is over."""
        last = self.episodes[-1] if self.episodes else None
        return last.failed_at if last and last.until is None else None

    def after(self, fact: ContractFact) -> "Spell":
        """The same after one more fact, which is not earlier than any before."""
        if fact.kind in ENDINGS:
            over = replace(self, ended_at=fact.at, cause=fact.cause, reason=fact.reason or fact.kind.name.lower())
            return over.settled(fact.at, recovered=False)
        if fact.kind is Kind.RENEWED:
            return replace(self, renewals=self.renewals + 1, renewed_at=fact.at)
        if fact.kind is Kind.PAYMENT_RECOVERED:
            return self.settled(fact.at, recovered=True)
        if fact.kind is Kind.PAYMENT_FAILED and self.failing_since is None:
            return replace(self, episodes=(*self.episodes, Episode(fact.at)))
        return self

    def settled(self, at: datetime, *, recovered: bool) -> "Spell":
        since = self.failing_since
        if since is None:
            return self
        return replace(self, episodes=(*self.episodes[:-1], Episode(since, at, recovered)))


def spells_of(contracts: Contracts) -> tuple[Spell, ...]:
    """All runs of all the customer's contracts, by contract and time."""
    return tuple(spell for _, facts in groupby(contracts.facts, lambda fact: fact.contract) for spell in _runs(facts))


def running(contracts: Contracts, at: datetime) -> tuple[Spell, ...]:
    """The contracts that ran at that moment, as they were known by their facts until then."""
    return tuple(spell for spell in spells_of(contracts.until(at)) if spell.ended_at is None)


def _runs(facts: Iterable[ContractFact]) -> list[Spell]:
    spells: list[Spell] = []
    for fact in facts:
        runs = bool(spells) and spells[-1].ended_at is None
        if runs:
            spells[-1] = spells[-1].after(fact)
        elif fact.kind is Kind.STARTED:
            spells.append(Spell(fact.contract, fact.at))
    return spells
