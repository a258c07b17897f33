"""How far predictions were from what came: pure functions of arrays. A figure that does not exist is None, never NaN."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from services.scoring.domain.fitting import Floats

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Customers of alike probability: how many, what was said on average, and what came."""

    customers: int
    predicted: float
    actual: float


def mae(expected: Floats, actual: Floats) -> float | None:
    """Mean absolute error."""
    return _finite(np.mean(np.abs(expected - actual))) if len(actual) else None


def rmse(expected: Floats, actual: Floats) -> float | None:
    """Root of the mean squared error."""
    return _finite(np.sqrt(np.mean((expected - actual) ** 2))) if len(actual) else None


def correlation(expected: Floats, actual: Floats) -> float | None:
    """Pearson's; None where either does not vary."""
    if len(actual) < 2 or np.ptp(expected) == 0 or np.ptp(actual) == 0:
        return None
    return _finite(np.corrcoef(expected, actual)[0, 1])


def total_error(expected: Floats, actual: Floats) -> float | None:
    """By which part of the actual total the expected one is off; positive is too many. None where nothing came."""
    total = float(actual.sum())
    return _finite(expected.sum() / total - 1.0) if total > 0 else None


def auc(score: Floats, happened: Floats) -> float | None:
    """Probability that one to whom it happened has the higher score; ties count one half. None if all or none."""
    yes = float(happened.sum())
    no = len(happened) - yes
    if not yes or not no:
        return None
    ranks = rankdata(score)
    return _finite((ranks @ happened - yes * (yes + 1) / 2) / (yes * no))


def brier(probability: Floats, happened: Floats) -> float | None:
    """Mean squared error of a probability."""
    return _finite(np.mean((probability - happened) ** 2)) if len(happened) else None


def log_loss(probability: Floats, happened: Floats) -> float:
    """Nats a customer that a probability was short of certainty about what came."""
    p = np.clip(probability, 1e-6, 1.0 - 1e-6)
    return float(-np.mean(happened * np.log(p) + (1.0 - happened) * np.log1p(-p)))


def reliability(probability: Floats, happened: Floats) -> list[Bin]:
    """Ten bins of equal width; empty ones are left out."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    count = np.bincount(place, minlength=BINS)
    said = np.bincount(place, weights=probability, minlength=BINS)
    came = np.bincount(place, weights=happened, minlength=BINS)
    return [Bin(int(n), float(s / n), float(c / n)) for n, s, c in zip(count, said, came, strict=True) if n]


def ece(probability: Floats, happened: Floats) -> float | None:
    """Expected calibration error: how far the bins of `reliability` are off, on average over customers."""
    if not len(happened):
        return None
    bins = reliability(probability, happened)
    return _finite(sum(one.customers * abs(one.predicted - one.actual) for one in bins) / len(happened))


def _finite(value: np.floating | float) -> float | None:
    return float(value) if np.isfinite(value) else None
