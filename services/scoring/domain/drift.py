"""Whether the world has moved away from a model: its inputs, its errors, and the totals it foretold.

Three watches, each of a few numbers: PSI compares two histograms, Page-Hinkley follows errors row by row, CUSUM follows
counts week by week. They raise an alarm; what to do about it is decided elsewhere.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from services.scoring.domain.fitting import Floats

PSI_MODERATE, PSI_LARGE = 0.1, 0.25
"""The convention of credit scoring (Siddiqi 2006, Credit Risk Scorecards)."""


class Shift(StrEnum):
    NONE = "none"
    MODERATE = "moderate"
    LARGE = "large"


def psi(reference: Floats, recent: Floats) -> float:
    """Population stability index of counts over the same fixed bins, (bins,) each: sum of (q - p) ln(q / p).

    Half a row is presumed in each bin, so that one that was empty costs much but not infinitely much.
    """
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (reference, recent))
    return float((q - p) @ np.log(q / p))


def psi_noise(reference: Floats, recent: Floats) -> float:
    """What PSI is expected to be where nothing has moved: (bins - 1)(1/n + 1/m), a chi-square in disguise (Yurdakul, Naranjo
    2020, J. Risk Model Validation 14).
    """
    return float((len(reference) - 1) * (1.0 / max(reference.sum(), 1.0) + 1.0 / max(recent.sum(), 1.0)))


def shift(reference: Floats, recent: Floats) -> Shift:
    """How far inputs have moved, beyond what so few rows would show by chance."""
    beyond = psi(reference, recent) - psi_noise(reference, recent)
    return Shift.LARGE if beyond > PSI_LARGE else Shift.MODERATE if beyond > PSI_MODERATE else Shift.NONE


@dataclass(frozen=True)
class PageHinkley:
    """Two-sided test for a changed mean of residuals y - p (Page 1954, Biometrika 41; Hinkley 1971, Biometrika 58).

    Rows in the order in which their labels matured. `rose` and `fell` are how far the sums of deviations have come from
    their lowest and highest points; an alarm is when one exceeds `threshold`.
    """

    allowed: float = 0.02
    """A shift of the mean that is not worth an alarm."""
    threshold: float = 50.0
    """In rows: larger is fewer false alarms, and later true ones. Where p (1 - p) is 0.15 on average, a false alarm comes about
    once in 10^8 rows, since a walk with that drift reaches h about every v / (2 a^2) exp(2 a h / v) steps."""
    rows: int = 0
    mean: float = 0.0
    rose: float = 0.0
    fell: float = 0.0

    def after(self, residuals: Floats) -> "PageHinkley":
        """With so many more rows, (n,). Stops at an alarm, so that it cannot be missed between two batches."""
        rows, mean, rose, fell = self.rows, self.mean, self.rose, self.fell
        for residual in residuals.tolist():
            if max(rose, fell) > self.threshold:
                break
            rows += 1
            mean += (residual - mean) / rows
            rose = max(0.0, rose + residual - mean - self.allowed)
            fell = max(0.0, fell - residual + mean - self.allowed)
        return replace(self, rows=rows, mean=mean, rose=rose, fell=fell)

    @property
    def alarm(self) -> bool:
        return max(self.rose, self.fell) > self.threshold

    def restarted(self) -> "PageHinkley":
        """As new: after the model has been refitted."""
        return PageHinkley(self.allowed, self.threshold)


@dataclass(frozen=True)
class Cusum:
    """Two-sided tabular CUSUM of (actual - expected) / sqrt(variance), a step a week (Montgomery, Introduction to Statistical
    Quality Control, chapter 9: k = 1/2 and h = 5 find a shift of one standard deviation in about ten steps, and raise a false
    alarm in about 465).
    """

    slack: float = 0.5
    threshold: float = 5.0
    steps: int = 0
    above: float = 0.0
    below: float = 0.0

    def after(self, actual: float, expected: float, variance: float) -> "Cusum":
        """With one more step; `variance` that of the actual total under the model, above 0."""
        z = (actual - expected) / variance**0.5
        above, below = max(0.0, self.above + z - self.slack), max(0.0, self.below - z - self.slack)
        return replace(self, steps=self.steps + 1, above=above, below=below)

    @property
    def alarm(self) -> bool:
        return max(self.above, self.below) > self.threshold
