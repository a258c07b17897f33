"""What came of actions: sums of customers and of those who stayed, with the action and without it.

Only customers whose arm was drawn at random belong here. Whole numbers that add up in any order; a fact that is
withdrawn is taken away again. Each fact must be folded once, which is the caller's business.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Outcome(NamedTuple):
    """A customer for whom an action was open, one who got it or one who was drawn to get nothing, after the horizon."""

    action: str
    stratum: str
    treated: bool
    stayed: bool


class Counts(NamedTuple):
    """Customers with the action and those of them who stayed; the same without it."""

    treated: int = 0
    treated_stayed: int = 0
    control: int = 0
    control_stayed: int = 0

    def plus(self, other: "Counts", times: int = 1) -> "Counts":
        return Counts(*(mine + times * its for mine, its in zip(self, other, strict=True)))


Key = tuple[str, str]
"""Action and stratum."""


@dataclass(frozen=True)
class Evidence:
    """Counts by action and stratum; nothing is kept of where nobody was."""

    counts: Mapping[Key, Counts] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Evidence":
        counts: dict[Key, Counts] = {}
        for outcome in outcomes:
            key = (outcome.action, outcome.stratum)
            counts[key] = counts.get(key, Counts()).plus(_one(outcome))
        return cls(counts)

    def plus(self, other: "Evidence") -> "Evidence":
        return self._with(other, 1)

    def minus(self, other: "Evidence") -> "Evidence":
        """Without facts that were folded before and have been withdrawn."""
        return self._with(other, -1)

    def _with(self, other: "Evidence", times: int) -> "Evidence":
        counts = dict(self.counts)
        for key, more in other.counts.items():
            counts[key] = counts.get(key, Counts()).plus(more, times)
        return Evidence({key: one for key, one in counts.items() if any(one)})

    def by_stratum(self, action: str) -> Iterator[tuple[str, Counts]]:
        """In the order of the strata's names, so that sums of floats come out the same everywhere."""
        for (of, stratum), counts in sorted(self.counts.items()):
            if of == action:
                yield stratum, counts


def _one(outcome: Outcome) -> Counts:
    if outcome.treated:
        return Counts(treated=1, treated_stayed=int(outcome.stayed))
    return Counts(control=1, control_stayed=int(outcome.stayed))
