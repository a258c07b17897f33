"""What a score is made from, so that it can be made again from something slightly different."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import Purchases
from services.scoring.domain.tempo import EVEN, Tempo

Signal = Literal["payment-failed", "complaint", "return"]


@dataclass(frozen=True)
class Situation:
    """A customer at the end of a day (since 1970). `signals`: how often something happened lately. `season`: by what factor
    the horizon from then on is as good as a longer one.
    """

    purchases: Purchases
    today: int
    signals: Mapping[Signal, int] = field(default_factory=dict)
    season: float = 1.0


class Scores(NamedTuple):
    """Arrays, one entry per situation: probability of no purchase within the horizon, and value in money."""

    p_churn: Floats
    value: Floats


class Scorer(Protocol):
    """Scores of situations with at least one purchase day each."""

    def __call__(self, situations: Sequence[Situation]) -> Scores: ...


class Visiting(Protocol):
    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats) -> Floats: ...

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats) -> Floats: ...


class Spending(Protocol):
    def expected_spend(self, x: Floats, z: Floats) -> Floats: ...


@dataclass(frozen=True)
class ByModel:
    """The base models, which know purchases only: signals change nothing here."""

    visits: Visiting
    spends: Spending
    horizon_days: float
    tempo: Tempo = EVEN

    def __call__(self, situations: Sequence[Situation]) -> Scores:
        rows = [(s.purchases.frequency, s.purchases.recency, _age(s), s.purchases.repeat_spend) for s in situations]
        x, t_x, age, z = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        known = Histories.of([s.purchases for s in situations])
        own = self.tempo.of(self.tempo.traits(x, age, known.last_gap, known.first_money))
        ahead = self.horizon_days * own * np.array([s.season for s in situations])
        churn = self.visits.p_no_purchase(x, t_x, age, ahead)
        purchases = self.visits.expected_purchases(x, t_x, age, ahead)
        spend = self.spends.expected_spend(np.where(z > 0, x, 0.0), np.maximum(z, 0.0))
        return Scores(churn, purchases * spend)

    @property
    def typical_spend(self) -> float:
        """Of a purchase day of a customer of whom nothing is known."""
        nothing = np.zeros(1)
        return float(self.spends.expected_spend(nothing, nothing)[0])


def _age(situation: Situation) -> int:
    return max(situation.today - situation.purchases.first_day, situation.purchases.recency)
