"""How a contract may go on: cumulative incidences of both kinds of churn, and the probability that it still runs.

A discrete-time Markov chain over {paid, payment missing for d periods, left by choice, ended by fate}. In each period those
who have paid may leave, be taken away, or fail to pay; then each missing payment, a fresh one too, is recovered, lapses, or
the customer leaves, or it stays missing. Only lapsing is churn, and involuntary; failing to pay is not. What goes out of one
state comes into another, so that the incidences and survival add up to 1; one minus a Kaplan-Meier curve per cause does not
(Kalbfleisch, Prentice 2002, The Statistical Analysis of Failure Time Data, chapter 8).
"""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.contracts.periods import Ints, Period
from services.scoring.domain.contracts.spells import Spell
from services.scoring.domain.fitting import Floats
from services.scoring.domain.purchases import day_of

PAID = -1
"""In place of periods since the failure: no payment is missing."""


@dataclass(frozen=True)
class Standings:
    """Contracts as they are: `age` in whole periods, and whole periods since the payment failed or PAID; (n,) both."""

    age: Ints
    failing: Ints

    @classmethod
    def of(cls, spells: list[Spell], day: int, period: Period = Period.MONTH) -> "Standings":
        """Of running contracts, on a day not before their facts."""
        starts = np.array([day_of(spell.started_at) for spell in spells], np.int64)
        failed = [(i, day_of(spell.failing_since)) for i, spell in enumerate(spells) if spell.failing_since]
        age, failing = np.maximum(period.age(starts, day), 0), np.full(len(spells), PAID, np.int64)
        if failed:
            where, days = np.array(failed, np.int64).T
            failing[where] = np.maximum(age[where] - period.age(starts[where], days), 0)
        return cls(age, failing)


@dataclass(frozen=True)
class Outlook:
    """(n, periods + 1) each, from now (0) on; the four add up to 1."""

    voluntary: Floats
    involuntary: Floats
    paid: Floats
    missing: Floats

    @property
    def survival(self) -> Floats:
        """The contract still runs, paid or not."""
        return self.paid + self.missing

    def at(self, rows: Ints) -> "Outlook":
        return Outlook(self.voluntary[rows], self.involuntary[rows], self.paid[rows], self.missing[rows])


def outlook(hazards: Hazards, standings: Standings, periods: int) -> Outlook:
    """Everybody's next periods. The period that has begun counts as a whole one: its risk is not yet known to be over."""
    age, failing, rows = _alike(hazards, standings)
    return _chain(hazards, age, failing, periods).at(rows)


def churn_within(hazards: Hazards, standings: Standings, periods: int) -> tuple[Floats, Floats]:
    """(n,) each: leaving by choice and being taken by fate within so many periods. For sweeps of the whole base."""
    age, failing, rows = _alike(hazards, standings)
    ahead = _chain(hazards, age, failing, periods)
    return ahead.voluntary[:, -1][rows], ahead.involuntary[:, -1][rows]


def _alike(hazards: Hazards, standings: Standings) -> tuple[Ints, Ints, Ints]:
    """Ages and failures that occur, and where each row's are: many contracts stand alike."""
    oldest, longest = len(hazards.active) - 1, len(hazards.failing) - 1
    states = longest + 2
    code = np.minimum(standings.age, oldest) * states + np.minimum(standings.failing, longest) - PAID
    found = np.flatnonzero(np.bincount(code, minlength=1))
    return found // states, found % states + PAID, np.searchsorted(found, code)


def _chain(hazards: Hazards, age: Ints, failing: Ints, periods: int) -> Outlook:
    n, (recover, lapse, leave) = len(age), hazards.failing.T
    paid = (failing == PAID).astype(float)
    missing = np.zeros((n, len(recover)))
    missing[failing != PAID, failing[failing != PAID]] = 1.0
    voluntary, involuntary = np.zeros(n), np.zeros(n)
    seen = [(voluntary, involuntary, paid, missing.sum(axis=1))]
    for step in range(periods):
        left, fate, failed = hazards.active[np.minimum(age + step, len(hazards.active) - 1)].T
        missing[:, 0] += paid * failed
        voluntary = voluntary + paid * left + missing @ leave
        involuntary = involuntary + paid * fate + missing @ lapse
        paid = paid * (1.0 - left - fate - failed) + missing @ recover
        missing = _a_period_later(missing * (1.0 - recover - lapse - leave))
        seen.append((voluntary, involuntary, paid, missing.sum(axis=1)))
    return Outlook(*(np.stack(column, axis=1) for column in zip(*seen, strict=True)))


def _a_period_later(missing: Floats) -> Floats:
    """(n, ages of the failure), each a period older; the last stands for all later ones."""
    older = np.roll(missing, 1, axis=1)
    older[:, 0] = 0.0
    older[:, -1] += missing[:, -1]
    return older
