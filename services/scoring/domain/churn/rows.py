"""What was known of customers on days in the past, and whether they bought within the horizon after: rows to learn from.

Nothing is put down when a score is made: purchases and behaviour are kept by day, so that both follow. An order that was
cancelled since counts for neither side.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.behaviour import FEATURES, Records, features, owners
from services.scoring.domain.churn.calendar import PERIODS, Calendar, Draw
from services.scoring.domain.fitting import Floats
from services.scoring.domain.hindsight import PACKED, Then, then
from services.scoring.domain.histogram import Ints
from services.scoring.domain.model import Parameters
from services.scoring.domain.supervised.features import Encoder

BASE_FEATURES = ("base_log_odds", "base_p_alive", "repeat_purchases", "age_days", "spend", "money")
"""What the base model said of leaving, and what it was told: repeat purchase days, days since the first, mean money of a
repeat purchase day, all money. How long ago the last purchase was is among the features of behaviour."""
NAMES = (*FEATURES, *BASE_FEATURES)
ENCODER = Encoder(NAMES, ())
MOST_ODDS = 12.0
"""Log-odds beyond which nobody is more certain."""


class Customer(NamedTuple):
    """Packed purchases and behaviour."""

    draw: Draw
    purchases: bytes
    behaviour: bytes


@dataclass(frozen=True)
class Rows:
    """(n,) each: the customer's place in samples; the day; x, age at the last purchase, age, spend, money and the last gap
    (n, 6); behaviour (n, FEATURES); and 1 for no purchase within the horizon.
    """

    place: Floats
    decided: Ints
    history: Floats
    behaviour: Floats
    left: Floats

    @classmethod
    def none(cls) -> "Rows":
        return cls(np.empty(0), np.empty(0, np.int64), np.empty((0, 6)), np.empty((0, len(FEATURES))), np.empty(0))

    @classmethod
    def together(cls, parts: Sequence["Rows"]) -> "Rows":
        if not parts:
            return cls.none()
        return cls(
            np.concatenate([part.place for part in parts]),
            np.concatenate([part.decided for part in parts]),
            np.concatenate([part.history for part in parts]),
            np.concatenate([part.behaviour for part in parts]),
            np.concatenate([part.left for part in parts]),
        )

    def part(self, which: npt.NDArray[np.bool_]) -> "Rows":
        return Rows(
            self.place[which], self.decided[which], self.history[which], self.behaviour[which], self.left[which]
        )

    def below(self, share: float) -> "Rows":
        """Of customers whose place is below it."""
        return self.part(self.place < share)

    def __len__(self) -> int:
        return len(self.left)


def rows_of(customers: Sequence[Customer], calendar: Calendar) -> Rows:
    """All rows of these customers; none of days before their first purchase."""
    parts = []
    for phase in sorted({one.draw.phase for one in customers}):
        theirs = [one for one in customers if one.draw.phase == phase]
        packed, records = [one.purchases for one in theirs], records_of(theirs)
        place = np.array([one.draw.place for one in theirs])
        for ago in range(PERIODS):
            day = calendar.day(phase, ago)
            seen = then(packed, day - 1, calendar.horizon)
            decided = np.full(len(theirs), day)
            found = features(records, decided)[seen.known]
            left = (seen.purchases == 0).astype(np.float64)
            parts.append(Rows(place[seen.known], decided[seen.known], _history(seen, day), found, left))
    return Rows.together(parts)


def row_of(purchases: bytes, behaviour: bytes, day: int) -> Rows:
    """One customer as of the beginning of a day, not knowing what comes; no row of who has not bought before."""
    one = Customer(Draw(0.0, 0), purchases, behaviour)
    seen = then([purchases], day - 1, 1)
    found = features(records_of([one]), np.array([day]))[seen.known]
    return Rows(np.zeros(len(found)), np.full(len(found), day), _history(seen, day), found, np.zeros(len(found)))


def records_of(customers: Sequence[Customer]) -> Records:
    """Behaviour and purchases."""
    packed = [one.purchases for one in customers]
    table = np.frombuffer(b"".join(packed), PACKED)
    bought = table["orders"] > 0
    owner, days = owners(packed, PACKED.itemsize)[bought], table["day"][bought].astype(np.int64)
    records = Records.of([one.behaviour for one in customers])
    return records.plus_purchases(owner, days, table["orders"][bought].astype(np.float64))


class Known(NamedTuple):
    """Rows as a model reads them, (n, NAMES), and what the base model says of each, (n,): no purchase within the horizon."""

    features: Floats
    base: Floats


def known(rows: Rows, parameters: Parameters, horizon: int) -> Known:
    """Each row at its own time of the year."""
    x, t_x, age, spend, money, last_gap = rows.history.T
    ahead = parameters.season.each(rows.decided - 1, horizon)
    if parameters.tempo:
        tempo = parameters.tempo
        ahead = ahead * tempo.of(tempo.traits(x, age, last_gap, money - x * spend))
    silent = parameters.visits.p_no_purchase(x, t_x, age, ahead)
    alive = parameters.visits.p_alive(x, t_x, age)
    base = np.column_stack([_log_odds(silent), alive, x, age, spend, money])
    return Known(np.column_stack([rows.behaviour, base]), silent)


def named(one: Known) -> dict[str, float | None]:
    """The features of one customer by name; None: never."""
    (values,) = one.features.tolist()
    return {name: None if math.isnan(value) else value for name, value in zip(NAMES, values, strict=True)}


def _history(seen: Then, day: int) -> Floats:
    histories = seen.histories
    t_x = histories.last_day - histories.first_day
    age = day - 1 - histories.first_day
    return np.column_stack([histories.x, t_x, age, histories.spend, histories.money, histories.last_gap])


def _log_odds(p: Floats) -> Floats:
    least = np.exp(-MOST_ODDS)
    bounded = p.clip(least, 1.0 - least)
    odds: Floats = np.log(bounded) - np.log1p(-bounded)
    return odds
