"""Lifetime value of one customer, when somebody asks: what they have brought, and what they still will, with an interval."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np

from services.scoring.domain.channels import UNKNOWN, code
from services.scoring.domain.lifetime_value import History, Terms, Valuation
from services.scoring.domain.model import Model
from services.scoring.domain.purchases import Purchases, cents_of, day_of
from services.scoring.handlers.customers import answer
from services.scoring.handlers.scores import Scores

MOST_PURCHASES = 500.0
OLDEST_DAYS = 3_650.0
"""Customers beyond these are valued too; their intervals are approximate."""


@dataclass(frozen=True)
class Valued:
    """Money in the company's currency; `low` and `high` hold the value with probability `interval`."""

    customer_id: str
    as_of: datetime
    past: Decimal
    future: Decimal
    value: Decimal
    low: Decimal
    high: Decimal
    residual_days: float
    model_version: int


@dataclass
class Valuing:
    """The tables behind the intervals take a second to make, once for each version of the parameters and each channel."""

    scores: Scores
    terms: Terms
    _version: int = 0
    _made: dict[int, Valuation] = field(default_factory=dict)
    """Of that version, by the codes of channels that are told apart."""
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def value(self, customer_id: str) -> Valued | None:
        """None without purchases, or before there is a model."""
        asked = await answer(self.scores.customers, customer_id)
        model = self.scores.model
        if asked is None or not asked.known.purchases.days or model is None:
            return None
        customer_id, known = asked
        now = await self.scores.clock.now()
        found = (await self._valuation(model, code(known.first))).value(_history(known.purchases, now, self.terms))
        past, future, low, high = (cents_of(part[0]) for part in (found.past, found.future, found.low, found.high))
        days = round(float(found.residual_days[0]), 1)
        return Valued(customer_id, now, past, future, past + future, low, high, days, model.version)

    async def _valuation(self, model: Model, came: int) -> Valuation:
        came = came if came in model.parameters.by_code else UNKNOWN
        async with self._making:
            if self._version != model.version:
                self._version, self._made = model.version, {}
            if came not in self._made:
                self._made[came] = await asyncio.to_thread(
                    Valuation.of, *model.predictors_of(came), self.terms, MOST_PURCHASES, OLDEST_DAYS
                )
            return self._made[came]


def _history(purchases: Purchases, now: datetime, terms: Terms) -> History:
    age = max(day_of(now) - purchases.first_day, purchases.recency)
    figures = (
        *(purchases.frequency, purchases.recency, age, max(purchases.repeat_spend, 0.0)),
        float(terms.margin) * purchases.micros / 1e6,
    )
    return History(*(np.array([float(figure)]) for figure in figures))
