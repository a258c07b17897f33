"""Scores as they are told: a pure function of purchases, parameters, the base and the moment, for many customers at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from services.scoring.domain import rfm
from services.scoring.domain.channels import UNKNOWN
from services.scoring.domain.classes import CLASSES
from services.scoring.domain.due import NEVER, due_days
from services.scoring.domain.histogram import Ints
from services.scoring.domain.model import Model
from services.scoring.domain.population import Ranked, Standing
from services.scoring.domain.prediction import Histories, Predictions, predict
from services.scoring.domain.purchases import CENT, Purchases, day_of
from services.scoring.domain.segments import SEGMENTS
from shared.contracts.scoring import ModelVersion, Rfm, Score

LARGEST = 999_999_999_999.0


@dataclass(frozen=True)
class Terms:
    """What all scores of a moment have in common."""

    model: Model | None
    now: datetime
    horizon_days: int
    currency: str
    standing: Standing | None = None


class Customer(NamedTuple):
    """Somebody to be scored, and the code of the channel that they came by."""

    id: str
    purchases: Purchases
    came: int = UNKNOWN


class Made(NamedTuple):
    """Scores, where the customers stand, and the days on which each score is worth another look."""

    scores: list[Score]
    ranked: Ranked
    due: Ints


def scores_of(customers: Sequence[Customer], terms: Terms, told: Ranked | None = None) -> Made:
    """The scores, in the same order. A customer without any order left has facts of zero and no predictions.

    `told`: where they stood when they were last told.
    """
    buying = [i for i, one in enumerate(customers) if one.purchases.days]
    ranked, due = Ranked.nowhere(len(customers)), np.full(len(customers), NEVER)
    said: dict[int, dict[str, Any]] = {}
    if buying:
        came = np.array([customers[i].came for i in buying], np.int64)
        histories = Histories.of([customers[i].purchases for i in buying], came)
        stand = histories.ranked(terms.standing, told.at(buying) if told else None)
        predicted = _predicted(histories, terms)
        predictions = _predictions(predicted, terms) or [{}] * len(buying)
        said = {i: {**place, **one} for i, place, one in zip(buying, _places(stand), predictions, strict=True)}
        ranked.codes[buying], ranked.classes[buying] = stand
        due[buying] = _due(histories, predicted, stand, terms)
    scores = [_score(one.id, one.purchases, terms, said.get(i)) for i, one in enumerate(customers)]
    return Made(scores, ranked, due)


def _predicted(histories: Histories, terms: Terms) -> Predictions | None:
    return predict(terms.model.parameters, histories, terms.now, terms.horizon_days) if terms.model else None


def _predictions(predicted: Predictions | None, terms: Terms) -> list[dict[str, Any]]:
    """As the score says them."""
    if predicted is None or terms.model is None:
        return []
    version = ModelVersion(name=terms.model.parameters.name, version=terms.model.version)
    return [_prediction(predicted, i, version) for i in range(len(predicted.value))]


def _due(histories: Histories, predicted: Predictions | None, ranked: Ranked, terms: Terms) -> Ints:
    """Without a model time changes nothing."""
    if predicted is None or terms.model is None:
        return np.full(len(histories.x), NEVER)
    told, today = predicted.told(ranked), day_of(terms.now)
    return due_days(terms.model.parameters, histories, told, predicted, today, terms.horizon_days)


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
