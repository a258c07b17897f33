"""A forecast held against what came: the figures, and for each that does not exist the reason."""

from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.evaluation import metrics
from services.scoring.evaluation.forecasts import Forecast

Figures = dict[str, float | None]
TOP_SHARE = 0.2


@dataclass(frozen=True)
class Accuracy:
    """`figures` by name; `reasons` says of each that is None why."""

    customers: int
    transactions: int
    figures: Figures
    reasons: dict[str, str]


def of_purchases(forecast: Forecast, actual: Floats) -> Accuracy:
    """Purchases against purchase days that came; P(purchase) against whether there was one.

    `mae` is of the forecast in whole days, every other figure of the expectations, unless its name says otherwise: the
    expectation is the forecast that minimises squared errors and not absolute ones. `auc` ranks by expected purchases, as the published comparisons do; brier and ece are of the probability.
    """
    expected, p, bought = forecast.purchases, forecast.p_purchase, (actual > 0).astype(np.float64)
    figures: Figures = {
        "mae": metrics.mae(forecast.whole, actual),
        "rmse": metrics.rmse(expected, actual),
        "correlation": metrics.correlation(expected, actual),
        "total_error": metrics.total_error(expected, actual),
        "auc": metrics.auc(expected, bought),
        "brier": metrics.brier(p, bought),
        "ece": metrics.ece(p, bought),
        "auc_of_probability": metrics.auc(p, bought),
        "mae_of_expectation": metrics.mae(expected, actual),
        "total_error_of_whole": metrics.total_error(forecast.whole, actual),
    }
    return Accuracy(len(actual), int(actual.sum()), figures, _reasons(figures, actual))


def of_money(expected: Floats, actual: Floats) -> Figures:
    """Expected money against what came, and the share of it that the top fifth by expectation brought."""
    return {
        "mae": metrics.mae(expected, actual),
        "correlation": metrics.correlation(expected, actual),
        "total_error": metrics.total_error(expected, actual),
        "top_fifth_share": top_share(expected, actual),
        "top_fifth_share_with_foresight": top_share(actual, actual),
    }


def top_share(score: Floats, actual: Floats) -> float | None:
    """Which part of all that came was brought by the fifth with the highest score."""
    total = float(actual.sum())
    if total <= 0:
        return None
    best = np.argsort(-score, kind="stable")[: max(1, round(TOP_SHARE * len(score)))]
    return float(actual[best].sum()) / total


def _reasons(figures: Figures, actual: Floats) -> dict[str, str]:
    why = {
        "correlation": "the forecast or what came is the same for everybody",
        "total_error": "nobody bought in the holdout",
        "total_error_of_whole": "nobody bought in the holdout",
        "auc": "everybody or nobody bought in the holdout",
        "auc_of_probability": "everybody or nobody bought in the holdout",
    }
    nobody = "" if len(actual) else "no customer bought before the calibration's end"
    return {name: nobody or why.get(name, "not a finite number") for name, value in figures.items() if value is None}
