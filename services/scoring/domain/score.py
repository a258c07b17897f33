"""Scores: a pure function of purchases, parameters and the moment, for many customers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.model import NAME, Model, Parameters
from services.scoring.domain.purchases import Purchases, day_of
from services.scoring.domain.segments import SEGMENTS, SLACK, Codes, plausible_still, segments
from shared.contracts.scoring import ModelVersion, Score

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
    """What the models read of each customer with a purchase day: x, first and last day, mean repeat spend, money."""

    x: Floats
    first_day: Floats
    last_day: Floats
    spend: Floats
    money: Floats

    @classmethod
    def of(cls, customers: Sequence[Purchases]) -> "Histories":
        rows = [
            (c.frequency, c.first_day, c.last_day, c.repeat_spend if c.repeat_spend > 0 else 0.0, c.micros / 1e6)
            for c in customers
        ]
        return cls(*np.array(rows, dtype=np.float64).reshape(-1, 5).T)


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


def scores_of(customers: Sequence[tuple[str, Purchases]], terms: Terms) -> list[Score]:
    """The scores, in the same order. A customer without any order left has facts of zero and no predictions."""
    buying = [i for i, (_, purchases) in enumerate(customers) if purchases.days]
    predictions = _predictions([customers[i][1] for i in buying], terms)
    said = dict(zip(buying, predictions, strict=True))
    return [_score(customer, purchases, terms, said.get(i)) for i, (customer, purchases) in enumerate(customers)]


def _predictions(buying: Sequence[Purchases], terms: Terms) -> list[dict[str, Any]]:
    """As parts of scores; empty ones without a model."""
    model = terms.model
    if model is None or not buying:
        return [{} for _ in buying]
    predicted = predict(model.parameters, Histories.of(buying), terms.now, terms.horizon_days)
    version = ModelVersion(name=NAME, version=model.version)
    return [_prediction(predicted, i, version) for i in range(len(buying))]


def _score(customer_id: str, purchases: Purchases, terms: Terms, prediction: dict[str, Any] | None) -> Score:
    return Score(
        customer_id=customer_id,
        as_of=terms.now,
        purchases=purchases.orders,
        frequency=purchases.frequency,
        money=purchases.money,
        currency=terms.currency,
        horizon_days=terms.horizon_days,
        **(_dates(purchases, terms.now) if purchases.days else {}),
        **(prediction or {}),
    )


def _dates(purchases: Purchases, now: datetime) -> dict[str, Any]:
    last = purchases.last_at
    return {
        "first_purchase": purchases.first_at,
        "last_purchase": last,
        "recency_days": round(max((now - last).total_seconds(), 0.0) / 86_400, 3),
        "mean_spend": (purchases.money / len(purchases.days)).quantize(CENT),
    }


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
