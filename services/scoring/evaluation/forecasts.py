"""Forecasts of the holdout from the calibration alone: by a model of ours, and by the rules of thumb it has to beat."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.counts import poisson, whole_purchases
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import NONE, Histogram
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.evaluation.splitting import WEEK, Split

EXACT_CELLS = 20_000
"""Bases with more different customers are fitted from the service's histogram: its cost does not grow with them."""

BASELINES = {
    "own-rate": "each customer goes on at x / age, the rate of repeat purchases so far",
    "last-period": "each customer repeats the repeat purchases of as long a time before the calibration's end",
    "average": "all customers buy alike, at the base's mean rate of repeat purchases",
}


@dataclass(frozen=True)
class Forecast:
    """Purchase days within the holdout, one element a customer: expected, the probability of at least one, and a forecast
    in whole days (`whole_purchases`), of about the same total.
    """

    name: str
    purchases: Floats
    p_purchase: Floats
    whole: Floats


def cells(split: Split, whose: npt.NDArray[np.bool_] | None = None) -> Visits:
    """The base, or some of it, as alike customers with their number: exact, or where those are many, centroids."""
    base, some = split.base, slice(None) if whose is None else whose
    parts = (base.x[some], base.t_x[some] * WEEK, base.age[some] * WEEK)
    x, recency, age = (np.rint(part).astype(np.int64) for part in parts)
    rows, count = np.unique(np.stack([x, recency, age]), axis=1, return_counts=True)
    if len(count) <= EXACT_CELLS:
        return Visits(rows[0].astype(float), rows[1] / WEEK, rows[2] / WEEK, count.astype(float))
    nothing = np.full_like(x, NONE)
    traits = np.stack([np.ones_like(x), x, split.end - age, recency, nothing, nothing], axis=1)
    visits = Histogram().plus(traits.astype(np.int32)).visits_at(split.end)
    return Visits(visits.x, visits.t_x / WEEK, visits.age / WEEK, visits.customers)


def baselines(split: Split) -> list[Forecast]:
    """The rules of thumb of `BASELINES`; their purchases are taken to be Poisson for all probabilities."""
    base, weeks = split.base, split.future.weeks
    seen = float(base.age.sum())
    mean_rate = float(base.x.sum()) / seen if seen else 0.0
    rates = {
        "own-rate": base.x / np.maximum(base.age, 1.0),
        "last-period": _recent_rate(split),
        "average": np.full_like(base.x, mean_rate),
    }
    return [_at_rate(name, rate * weeks) for name, rate in rates.items()]


def _at_rate(name: str, expected: Floats) -> Forecast:
    whole = whole_purchases(poisson(expected), len(expected), float(expected.sum()))
    return Forecast(name, expected, -np.expm1(-expected), whole)


def _recent_rate(split: Split) -> Floats:
    """Repeat purchases a week within the last of the calibration, as far back as the holdout reaches forward."""
    days, base = split.days, split.base
    weeks = min(split.future.weeks, (split.end - split.start + 1) / WEEK)
    owner = np.searchsorted(base.customer, days.customer)
    repeat = days.day > split.end - base.age[owner] * WEEK + 0.5
    recent = repeat & (days.day > split.end - weeks * WEEK)
    return np.bincount(owner[recent], minlength=len(base.x)) / max(weeks, 1.0 / WEEK)
