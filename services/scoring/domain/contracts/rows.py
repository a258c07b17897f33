"""What was known of running contracts on days of the past, and how they went on: rows to learn from who leaves, and why.

Facts of contracts and behaviour are kept by time, so nothing is put down for it: both follow for any day, late facts included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.behaviour import FEATURES, Records, features
from services.scoring.domain.churn.calendar import PERIODS, Calendar, Draw
from services.scoring.domain.contracts.facts import Cause, Contracts
from services.scoring.domain.contracts.forecast import Standings, churn_within
from services.scoring.domain.contracts.hazards import Hazards
from services.scoring.domain.contracts.periods import Ints
from services.scoring.domain.contracts.spells import Spell, running, spells_of
from services.scoring.domain.fitting import Floats
from services.scoring.domain.purchases import EPOCH, day_of
from services.scoring.domain.supervised.causes import INVOLUNTARY, STAYED, VOLUNTARY
from services.scoring.domain.supervised.features import Encoder
from shared.moments import MICROSECOND

OWN = (
    "age_months",
    "missing_months",
    "payments_failed",
    "days_since_recovery",
    "renewals",
    "days_since_renewal",
    "price",
)
"""Of the contract itself, as of the beginning of the day. `missing_months`: since a payment failed that is still missing."""
BASE = ("base_voluntary", "base_involuntary")
"""What the base's hazards say of a contract of this age, with or without a payment missing."""
NAMES = (*OWN, *FEATURES, *BASE)
ENCODER = Encoder(NAMES, ())
MONTH_DAYS = 365.25 / 12


class Holder(NamedTuple):
    """A customer's contracts and packed behaviour."""

    draw: Draw
    contracts: Contracts
    behaviour: bytes


@dataclass(frozen=True)
class Rows:
    """(n,) each: the customer's place in samples, the day; `known` (n, OWN and FEATURES); and how it went on within the horizon:
    STAYED, VOLUNTARY or INVOLUNTARY.
    """

    place: Floats
    decided: Ints
    known: Floats
    way: Ints

    @classmethod
    def none(cls) -> "Rows":
        return cls(np.empty(0), np.empty(0, np.int64), np.empty((0, len(NAMES) - len(BASE))), np.empty(0, np.int64))

    def plus(self, other: "Rows") -> "Rows":
        pairs = ((mine, theirs) for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True))
        return Rows(*(np.concatenate(pair) for pair in pairs))

    def part(self, which: npt.NDArray[np.bool_]) -> "Rows":
        return Rows(*(column[which] for column in vars(self).values()))

    def __len__(self) -> int:
        return len(self.way)

    @property
    def standings(self) -> Standings:
        age, missing = self.known[:, 0], self.known[:, 1]
        return Standings(age.astype(np.int64), np.where(np.isnan(missing), -1, missing).astype(np.int64))


class Known(NamedTuple):
    """Rows as a model reads them, (n, NAMES), and what the base's hazards say of each within the horizon, (n,) both."""

    features: Floats
    voluntary: Floats
    involuntary: Floats


def rows_of(holders: Sequence[Holder], calendar: Calendar) -> Rows:
    """A row for each contract that ran on the holder's day of each horizon that is looked back."""
    every = Rows.none()
    for ago in range(PERIODS):
        days = np.array([calendar.day(one.draw.phase, ago) for one in holders], np.int64)
        every = every.plus(rows_on(holders, days, calendar.horizon))
    return every


def rows_on(holders: Sequence[Holder], days: Ints, horizon: int) -> Rows:
    """As of the beginning of a day for each holder, (holders,)."""
    did = features(Records.of([one.behaviour for one in holders]), days)
    owner, own, way = [], [], []
    for i, (holder, day) in enumerate(zip(holders, days.tolist(), strict=True)):
        for values, went in _of_holder(holder.contracts, day, horizon):
            owner.append(i)
            own.append(values)
            way.append(went)
    if not owner:
        return Rows.none()
    seen = np.column_stack([np.array(own, dtype=np.float64), did[owner]])
    place = np.array([holders[i].draw.place for i in owner])
    return Rows(place, days[owner], seen, np.array(way, np.int64))


def runs_on(contracts: Contracts, day: int) -> tuple[Spell, ...]:
    """Contracts that run at the beginning of a day, in the order of their rows."""
    return running(contracts, _before(day))


def known(rows: Rows, hazards: Hazards, horizon: int) -> Known:
    voluntary, involuntary = churn_within(hazards, rows.standings, months(horizon))
    return Known(np.column_stack([rows.known, voluntary, involuntary]), voluntary, involuntary)


def months(horizon: int) -> int:
    """Whole months, in which hazards are, that a horizon in days comes nearest to."""
    return max(1, round(horizon / MONTH_DAYS))


def _before(day: int) -> datetime:
    return EPOCH + timedelta(days=day) - MICROSECOND


def _of_holder(contracts: Contracts, day: int, horizon: int) -> Iterator[tuple[list[float], int]]:
    spells, before = runs_on(contracts, day), _before(day)
    if not spells:
        return
    ends = {(one.contract, one.started_at): one for one in spells_of(contracts)}
    until = EPOCH + timedelta(days=day + horizon)
    prices = {fact.contract: fact.price / 1e6 for fact in contracts.until(before).facts if fact.price >= 0}
    standings = Standings.of(list(spells), day)
    for i, spell in enumerate(spells):
        missing = int(standings.failing[i])
        yield (
            [
                float(standings.age[i]),
                float(missing) if missing >= 0 else np.nan,
                *_history(spell, day),
                prices.get(spell.contract, np.nan),
            ],
            _way(ends.get((spell.contract, spell.started_at)), until),
        )


def _history(spell: Spell, day: int) -> tuple[float, float, float, float]:
    recovered = [day_of(one.until) for one in spell.episodes if one.until]
    renewed = day - day_of(spell.renewed_at) if spell.renewed_at else np.nan
    return (
        float(len(spell.episodes)),
        float(day - max(recovered)) if recovered else np.nan,
        float(spell.renewals),
        renewed,
    )


def _way(spell: Spell | None, until: datetime) -> int:
    if spell is None or spell.ended_at is None or spell.ended_at >= until:
        return STAYED
    return VOLUNTARY if spell.cause is Cause.VOLUNTARY else INVOLUNTARY
