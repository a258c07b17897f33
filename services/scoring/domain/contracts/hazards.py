"""Cause-specific hazards by age, from events and people at risk; steadied where few are at risk.

Discrete time, competing risks: at each age, those at risk take one of several ways out or stay (Prentice, Kalbfleisch
et al. 1978, Biometrics 34; Allison 1982, Sociological Methodology 13). A hazard is the share who take that way.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from services.scoring.domain.contracts.periods import Ints
from services.scoring.domain.fitting import Doubt, Floats

DUNNING_PERIODS = 6
"""Ages of a missing payment that are told apart; the last stands for all later ones."""
NEIGHBOURHOOD = 2.0
"""Periods over which an age's neighbours fade to 1/e in the expectation of its hazard."""
STRENGTHS = np.geomspace(1.0, 1e6, 41)
"""How many people at risk the neighbours may count for."""
SLACK = 1.92
"""Nats that the likelihood may give away: ages are believed to differ only so far as a test at 5 % shows it."""
MIN_EVENTS = 5


@dataclass(frozen=True)
class Table:
    """`at_risk` (ages,) and `events` (ages, ways out), counts both. Tables of different people add up."""

    at_risk: Floats
    events: Floats

    @classmethod
    def of_lives(cls, age: Ints, way: Ints, ways: int) -> "Table":
        """From rows instead of facts: the age at which each life ended or was seen last, and the way out it took then, -1
        for none. All are at risk up to that age, it included.
        """
        size = int(age.max(initial=-1)) + 1
        lived = np.bincount(age, minlength=size)[::-1].cumsum()[::-1]
        events = [np.bincount(age[way == one], minlength=size) for one in range(ways)]
        return cls(lived.astype(float), np.stack(events, axis=1).astype(float))

    def plus(self, other: "Table") -> "Table":
        size = max(len(self.at_risk), len(other.at_risk))
        mine, theirs = self.padded(size), other.padded(size)
        return Table(mine.at_risk + theirs.at_risk, mine.events + theirs.events)

    @property
    def total_rates(self) -> Floats:
        """(ways,): the hazards that fit all ages alike, half an event being presumed of each way and of staying."""
        ways = self.events.shape[1]
        rates: Floats = (self.events.sum(axis=0) + 0.5) / (self.at_risk.sum() + 0.5 * (ways + 1))
        return rates

    def raw(self) -> Floats:
        """(ages, ways): the plain shares; 0 where nobody is at risk."""
        shares: Floats = self.events / np.maximum(self.at_risk, 1.0)[:, None]
        return shares

    def padded(self, size: int) -> "Table":
        more = size - len(self.at_risk)
        return Table(np.pad(self.at_risk, (0, more)), np.pad(self.events, ((0, more), (0, 0))))


@dataclass(frozen=True)
class Tables:
    """`active`: ways out are leaving by choice, by fate, and a failing payment. `failing`, by periods since the failure:
    recovery, lapse, and leaving by choice.
    """

    active: Table
    failing: Table

    def plus(self, other: "Tables") -> "Tables":
        return Tables(self.active.plus(other.active), self.failing.plus(other.failing))


@dataclass(frozen=True)
class Hazards:
    """`active` (ages, 3) and `failing` (ages of the failure, 3), ways out as in `Tables`; the last age stands for all later
    ones. `strengths`: how many people at risk the expectation counted for, a million where ages do not differ.
    """

    active: Floats
    failing: Floats
    strengths: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def raw(cls, tables: Tables) -> "Hazards":
        """As counted: for large bases, and for comparison with published tables."""
        return cls(tables.active.raw(), tables.failing.raw())

    @classmethod
    def fitted(cls, tables: Tables, toward: "Hazards | None" = None) -> "Hazards | Doubt":
        """Steadied by neighbouring ages; a segment's also `toward` the hazards of the whole base. A doubt where nothing has
        happened yet that could be learnt from.
        """
        if toward is None and tables.active.events[:, :2].sum() + tables.failing.events[:, 1:].sum() < MIN_EVENTS:
            return Doubt.TOO_FEW
        active, strong = steadied(tables.active, toward.active if toward else None)
        failing, strong_too = steadied(tables.failing, toward.failing if toward else None)
        return cls(active, failing, (strong, strong_too))


def steadied(table: Table, toward: Floats | None = None) -> tuple[Floats, float]:
    """(ages, ways) hazards (events + m expected) / (at risk + m), and m.

    `expected` comes from the other ages near by, or is given. m is the largest that the Dirichlet-multinomial likelihood of
    the ages' events, given what is expected of them, does not speak against: ages keep to themselves where they are seen to
    differ, and lean on others where they are few (empirical Bayes, as in Casella 1985, The American Statistician 39).
    """
    if not len(table.at_risk):
        table = table.padded(1)
    expected = _from_neighbours(table) if toward is None else _lasting(toward, len(table.at_risk))
    likelihoods = np.array([_log_likelihood(table, expected, float(m)) for m in STRENGTHS])
    m = float(STRENGTHS[likelihoods >= likelihoods.max() - SLACK][-1])
    hazards: Floats = (table.events + m * expected) / (table.at_risk + m)[:, None]
    if toward is not None and len(toward) > len(hazards):
        hazards = np.concatenate([hazards, toward[len(hazards) :]])
    return hazards, m


def _from_neighbours(table: Table) -> Floats:
    """What the other ages make one expect of each: their shares, fading with distance; the total rate where all is far."""
    ages = np.arange(len(table.at_risk))
    weight = np.exp(-np.abs(ages[:, None] - ages) / NEIGHBOURHOOD)
    np.fill_diagonal(weight, 0.0)
    expected: Floats = (weight @ table.events + table.total_rates) / (weight @ table.at_risk + 1.0)[:, None]
    return expected


def _lasting(hazards: Floats, size: int) -> Floats:
    """The first so many ages; the last stands for all later ones."""
    return hazards[np.minimum(np.arange(size), len(hazards) - 1)]


def _log_likelihood(table: Table, expected: Floats, m: float) -> float:
    """Dirichlet-multinomial, without the term that does not depend on m. What is expected never to happen may happen."""
    stayed = table.at_risk - table.events.sum(axis=1)
    counts = np.column_stack([table.events, stayed])
    mean = np.column_stack([expected, 1.0 - expected.sum(axis=1)]).clip(1e-12)
    per_age = gammaln(m) - gammaln(table.at_risk + m) + (gammaln(counts + m * mean) - gammaln(m * mean)).sum(axis=1)
    return float(per_age.sum())
