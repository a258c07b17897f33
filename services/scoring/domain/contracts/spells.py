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


@dataclass(slots=True)
class _Run:
    """A spell while it is read: changed in place, since facts are read on the event path."""

    contract: str
    started_at: datetime
    renewals: int = 0
    renewed_at: datetime | None = None
    episodes: list[Episode] = field(default_factory=list)
    failing_since: datetime | None = None
    end: ContractFact | None = None

    def read(self, fact: ContractFact) -> None:
        """One more fact, which is not earlier than any before."""
        kind = fact.kind
        if kind is Kind.RENEWED:
            self.renewals, self.renewed_at = self.renewals + 1, fact.at
        elif kind is Kind.PAYMENT_FAILED:
            self.failing_since = self.failing_since or fact.at
        elif kind is Kind.PAYMENT_RECOVERED:
            self.settle(fact.at, recovered=True)
        elif kind in ENDINGS:
            self.settle(fact.at, recovered=False)
            self.end = fact

    def settle(self, at: datetime, *, recovered: bool) -> None:
        if self.failing_since:
            self.episodes.append(Episode(self.failing_since, at, recovered))
            self.failing_since = None

    def spell(self) -> Spell:
        end, failing = self.end, self.failing_since
        episodes = (*self.episodes, Episode(failing)) if failing else tuple(self.episodes)
        spell = Spell(self.contract, self.started_at, self.renewals, self.renewed_at, episodes)
        return replace(spell, ended_at=end.at, cause=end.cause, reason=_reason(end)) if end else spell


def spells_of(contracts: Contracts) -> tuple[Spell, ...]:
    """All runs of all the customer's contracts, by contract and time."""
    return tuple(spell for _, facts in groupby(contracts.facts, lambda fact: fact.contract) for spell in _runs(facts))


def running(contracts: Contracts, at: datetime) -> tuple[Spell, ...]:
    """The contracts that ran at that moment, as they were known by their facts until then."""
    return tuple(spell for spell in spells_of(contracts.until(at)) if spell.ended_at is None)


def _runs(facts: Iterable[ContractFact]) -> list[Spell]:
    runs: list[_Run] = []
    for fact in facts:
        if runs and not runs[-1].end:
            runs[-1].read(fact)
        elif fact.kind is Kind.STARTED:
            runs.append(_Run(fact.contract, fact.at))
    return [run.spell() for run in runs]


def _reason(end: ContractFact) -> str:
    return end.reason or end.kind.name.lower()
