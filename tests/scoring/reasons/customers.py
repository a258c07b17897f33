"""Customers to find reasons for, dated by days since the start of 2024."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.purchases import Order, Purchases, day_of
from services.scoring.domain.reasons import Among, ByModel, Scores, Signal, Situation

START = datetime(2024, 1, 1, 9, tzinfo=UTC)
MODEL = ByModel(MbgNbd(0.8, 40, 0.5, 2.5), GammaGamma(6.25, 3.74, 15.44), 90)
AMONG = Among("EUR", MODEL.typical_spend)


def bought(*days: int, spend: str = "35") -> Purchases:
    return Purchases.of(Order(START + timedelta(days=day), Decimal(spend)) for day in days)


def seen(purchases: Purchases, day: int, signals: dict[Signal, int] | None = None) -> Situation:
    return Situation(purchases, day_of(START) + day, signals or {})


NOBODY = Purchases()
EVERY_THREE_WEEKS = bought(*range(0, 200, 21))
"""Last on day 189."""


def heeding_signals(situations: Sequence[Situation]) -> Scores:
    """A scorer that knows signals: each failed payment doubles the odds of no purchase, a complaint adds a fifth."""
    churn, value = MODEL(situations)
    failed = np.array([one.signals.get("payment-failed", 0) for one in situations])
    complaints = np.array([one.signals.get("complaint", 0) for one in situations])
    odds = churn / (1 - churn) * 2.0**failed * 1.2**complaints
    return Scores(odds / (1 + odds), value * (1 - odds / (1 + odds)) / (1 - churn))
