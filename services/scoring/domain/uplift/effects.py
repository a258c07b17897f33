"""Average effects of a randomised trial: were the arms drawn as planned, and by how much did the treatment change the mean?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, stdtrit

from services.scoring.domain.fitting import Floats

MISMATCH_BELOW = 0.001
"""A split this improbable stops the report: what made it uneven may have made the arms different too."""


class NoEffect(ValueError):
    """An arm has fewer than two customers: no interval is defined."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence limits."""

    estimate: float
    low: float
    high: float

    @classmethod
    def around(cls, estimate: float, half: float) -> "Interval":
        return cls(estimate, estimate - half, estimate + half)

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class SampleRatio:
    """Pearson's chi-square of the arms' sizes against the planned shares, and its p-value."""

    chi_square: float
    p: float

    @property
    def mismatch(self) -> bool:
        return self.p < MISMATCH_BELOW


def sample_ratio(customers: Sequence[int], shares: Sequence[float]) -> SampleRatio:
    """Arms' sizes against planned shares, all above 0 (Fabijan et al. 2019, KDD, "Diagnosing sample ratio mismatch")."""
    planned = np.asarray(shares, dtype=np.float64)
    if len(planned) < 2 or planned.min() <= 0:
        raise ValueError("at least two arms, each with a planned share above 0")
    expected = planned / planned.sum() * sum(customers)
    chi_square = float(((np.asarray(customers) - expected) ** 2 / expected).sum()) if sum(customers) else 0.0
    return SampleRatio(chi_square, float(chdtrc(len(planned) - 1, chi_square)))


def standard_error(treated: Floats, control: Floats) -> float:
    """Of the difference of two means under unequal variances."""
    if min(len(treated), len(control)) < 2:
        raise NoEffect("fewer than two customers in an arm")
    return float(np.sqrt(treated.var(ddof=1) / len(treated) + control.var(ddof=1) / len(control)))


def effect(treated: Floats, control: Floats, confidence: float = 0.95) -> Interval:
    """Difference of the means with Welch's interval (Biometrika 34, 1947); of no width if neither arm varies."""
    error = standard_error(treated, control)
    difference = float(treated.mean() - control.mean())
    if error == 0:
        return Interval.around(difference, 0.0)
    by_treated = float(treated.var(ddof=1) / len(treated)) / error**2
    freedom = 1.0 / (by_treated**2 / (len(treated) - 1) + (1.0 - by_treated) ** 2 / (len(control) - 1))
    return Interval.around(difference, float(stdtrit(freedom, 0.5 + confidence / 2)) * error)


def effects(arms: Mapping[str, Floats], control: Floats, confidence: float = 0.95) -> dict[str, Interval]:
    """Each arm against the same control: intervals that hold all at once (Bonferroni)."""
    each = 1.0 - (1.0 - confidence) / max(1, len(arms))
    return {name: effect(outcome, control, each) for name, outcome in arms.items()}


def without_outliers(treated: Floats, control: Floats, share: float = 0.99) -> tuple[Floats, Floats]:
    """Both arms winsorised: amounts above this quantile of both together count as the quantile."""
    most = np.quantile(np.concatenate([treated, control]), share)
    return np.minimum(treated, most), np.minimum(control, most)


def cuped(outcome: Floats, before: Floats) -> Floats:
    """(n,): outcomes without what a figure from before the trial explains; all arms together, the mean stays.

    Deng, Xu, Kohavi, Walker (2013), WSDM, "Improving the sensitivity of online controlled experiments".
    """
    varies = float(before.var())
    if varies == 0:
        return outcome
    slope = float(np.cov(outcome, before, ddof=0)[0, 1]) / varies
    adjusted: Floats = outcome - slope * (before - before.mean())
    return adjusted
