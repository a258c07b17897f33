"""Scores: a pure function of purchases, parameters and the moment, for many customers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from services.scoring.domain import rfm
from services.scoring.domain.classes import CLASSES
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import X_EDGES, Ints
from services.scoring.domain.model import NAME, Model, Parameters
from services.scoring.domain.money_cells import cells_of
from services.scoring.domain.population import Ranked, Standing
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.segments import SEGMENTS, SLACK, Codes, plausible_still, segments
from shared.contracts.scoring import ModelVersion, Rfm, Score

P_BAND = 0.02
"""P(alive) and P(no purchase) are news when they have moved by more than this since they were last told."""
VALUE_BAND = 0.05
"""Value is news when it has moved by more than this part of what was told."""
NO_VALUE = 0.01
"""Values below this part of the top fifth's money count as this much: nobody cares for 5 % of a cent."""
LARGEST = 999_999_999_999.0
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Histories:
    """What the models read of each customer: x, first and last day, mean repeat spend, money."""

    x: Floats
    first_day: Floats
    last_day: Floats
    spend: Floats
    money: Floats

    @classmethod
    def of(cls, customers: Sequence[Purchases]) -> "Histories":
        rows = [
            (c.frequency, c.first_day, c.days[-1].day, c.repeat_spend if c.repeat_spend > 0 else 0.0, c.micros / 1e6)
            for c in customers
        ]
        return cls(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)

    def ranked(self, standing: Standing | None, told: Ranked | None = None) -> Ranked:
        """Where these customers stand; with `told`, clear changes only."""
        if standing is None:
            return told or Ranked.nowhere(len(self.x))
        micros: Ints = np.rint(self.money * 1e6).astype(np.int64)
        bought = np.searchsorted(X_EDGES, self.x, side="right")
        return standing.of(np.stack([self.last_day.astype(np.int64), bought, cells_of(micros)], axis=1), micros, told)


@dataclass(frozen=True)
class Predictions:
    p_alive: Floats
    p_churn: Floats
    expected_purchases: Floats
    expected_spend: Floats
    value: Floats
    segment: Codes
    also: tuple[Codes, Codes]
    """The segments if thresholds lay a little lower or higher."""


@dataclass(frozen=True)
class Told:
    """What was last told of each customer; NaN and -1 where nothing was predicted."""

    p_alive: Floats
    p_churn: Floats
    value: Floats
    segment: Codes
    ranked: Ranked


def predict(parameters: Parameters, histories: Histories, now: datetime, horizon_days: int) -> Predictions:
    visits, x = parameters.visits, histories.x
    t_x = histories.last_day - histories.first_day
    # A channel's clock may run ahead of ours: nobody is younger than their last purchase.
    age = np.maximum(day_of(now) - histories.first_day, t_x)
    seen = (x, t_x, age)
    alive, silent = visits.p_alive(*seen), visits.p_silent(*seen)
    purchases = visits.expected_purchases(*seen, horizon_days)
    spend = parameters.spends.expected_spend(np.where(histories.spend > 0, x, 0.0), histories.spend)
    segment, fewer, more = (
        segments(age, alive, silent, histories.money, parameters.top_money, slack) for slack in (0, -SLACK, SLACK)
    )
    churn = visits.p_no_purchase(*seen, horizon_days)
    return Predictions(alive, churn, purchases, spend, purchases * spend, segment, (fewer, more))


def material(told: Told, new: Predictions, top_money: float) -> npt.NDArray[np.bool_]:
    """Which customers' predictions have moved by more than rounding since they were last told."""
    moved = (np.abs(new.p_alive - told.p_alive) > P_BAND) | (np.abs(new.p_churn - told.p_churn) > P_BAND)
    floor = NO_VALUE * top_money
    before, after = np.maximum(told.value, floor), np.maximum(new.value, floor)
    moved |= np.abs(after - before) > VALUE_BAND * before
    moved |= ~plausible_still(told.segment, new.segment, *new.also)
    news: npt.NDArray[np.bool_] = moved | np.isnan(told.p_alive)
    return news


@dataclass(frozen=True)
class Terms:
    """What all scores of a moment have in common."""

    model: Model | None
    now: datetime
    horizon_days: int
    currency: str
    standing: Standing | None = None


def scores_of(
    customers: Sequence[tuple[str, Purchases]], terms: Terms, told: Ranked | None = None
) -> tuple[list[Score], Ranked]:
    """The scores of customers with at least one purchase each, in the same order, and where they stand.

    `told`: where they stood when they were last told.
    """
    if not customers:
        return [], Ranked.nowhere(0)
    histories = Histories.of([purchases for _, purchases in customers])
    ranked = histories.ranked(terms.standing, told)
    said = _predictions(histories, terms)
    places = _places(ranked)
    scores = [
        _score(customer, purchases, terms, **place, **prediction)
        for (customer, purchases), place, prediction in zip(customers, places, said, strict=True)
    ]
    return scores, ranked


def _predictions(histories: Histories, terms: Terms) -> list[dict[str, Any]]:
    if terms.model is None:
        return [{}] * len(histories.x)
    predicted = predict(terms.model.parameters, histories, terms.now, terms.horizon_days)
    version = ModelVersion(name=NAME, version=terms.model.version)
    return [_prediction(predicted, i, version) for i in range(len(histories.x))]


def _places(ranked: Ranked) -> list[dict[str, Any]]:
    """As the score says it; nothing of customers who stand nowhere."""
    known = ranked.codes[:, 0] > 0
    segments = rfm.named(np.where(known[:, None], ranked.codes, 1).astype(np.int8)).tolist()
    return [
        {
            "rfm": Rfm(recency=r, frequency=f, money=m, segment=rfm.SEGMENTS[segment]),
            "value_class": CLASSES[value_class],
        }
        if r
        else {}
        for (r, f, m), segment, value_class in zip(
            ranked.codes.tolist(), segments, ranked.classes.tolist(), strict=True
        )
    ]


def _score(customer_id: str, purchases: Purchases, terms: Terms, **prediction: Any) -> Score:
    last = purchases.last_at
    return Score(
        customer_id=customer_id,
        as_of=terms.now,
        first_purchase=purchases.first_at,
        last_purchase=last,
        purchases=purchases.orders,
        recency_days=round(max((terms.now - last).total_seconds(), 0.0) / 86_400, 3),
        frequency=purchases.frequency,
        money=purchases.money,
        mean_spend=(purchases.money / len(purchases.days)).quantize(CENT),
        currency=terms.currency,
        horizon_days=terms.horizon_days,
        **prediction,
    )


def _prediction(predicted: Predictions, i: int, version: ModelVersion) -> dict[str, Any]:
    return {
        "p_alive": _digits(predicted.p_alive[i]),
        "p_churn": _digits(predicted.p_churn[i]),
        "expected_purchases": _digits(predicted.expected_purchases[i]),
        "expected_spend": _amount(predicted.expected_spend[i]),
        "value": _amount(predicted.value[i]),
        "segment": SEGMENTS[predicted.segment[i]],
        "model": version,
    }


def _digits(value: np.float64) -> float:
    return round(float(value), 6)


def _amount(value: np.float64) -> Decimal:
    return Decimal(f"{min(float(value), LARGEST):.2f}")
