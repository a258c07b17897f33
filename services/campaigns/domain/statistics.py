"""The four formulas behind a campaign's effect, each with its source. Floats in, floats out."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import chdtrc, ndtri, stdtrit


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence limits."""

    estimate: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Sample:
    """n values, by their mean and their variance (divided by n - 1)."""

    n: int
    mean: float
    variance: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion, n >= 1. E. B. Wilson, JASA 22 (1927) 209-212; Newcombe 1998a, method 3."""
    z = ndtri(0.5 + confidence / 2)
    p = successes / n
    middle = 2 * successes + z * z
    half = z * sqrt(z * z + 4 * successes * (1 - p))
    below = 2 * (n + z * z)
    return Interval(p, max(0.0, (middle - half) / below), min(1.0, (middle + half) / below))


def newcombe(successes_1: int, n_1: int, successes_2: int, n_2: int, confidence: float = 0.95) -> Interval:
    """Interval of p1 - p2 from two Wilson intervals. R. G. Newcombe, Statist. Med. 17 (1998) 873-890, method 10."""
    one, two = wilson(successes_1, n_1, confidence), wilson(successes_2, n_2, confidence)
    difference = one.estimate - two.estimate
    return Interval(
        difference,
        difference - sqrt((one.estimate - one.low) ** 2 + (two.high - two.estimate) ** 2),
        difference + sqrt((one.high - one.estimate) ** 2 + (two.estimate - two.low) ** 2),
    )


def welch(one: Sample, two: Sample, confidence: float = 0.95) -> Interval | None:
    """Interval of mean1 - mean2 under unequal variances. B. L. Welch, Biometrika 34 (1947) 28-35.

    None where it is not defined: an arm of fewer than two customers, or no variance at all.
    """
    if one.n < 2 or two.n < 2:
        return None
    a, b = one.variance / one.n, two.variance / two.n
    if a + b <= 0:
        return None
    freedom = (a + b) ** 2 / (a * a / (one.n - 1) + b * b / (two.n - 1))
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * sqrt(a + b)
    difference = one.mean - two.mean
    return Interval(difference, difference - half, difference + half)


def sample_ratio_p(control: int, treatment: int, control_share: float) -> float:
    """Probability of a split at least this uneven if each customer was held out with `control_share`, 0 < share < 1.

    Pearson's chi-square with one degree of freedom; a small value means that the arms were not split as planned
    (A. Fabijan et al., KDD 2019, "Diagnosing sample ratio mismatch").
    """
    n = control + treatment
    if n == 0:
        return 1.0
    expected = n * control_share
    statistic = (control - expected) ** 2 / expected + (treatment - (n - expected)) ** 2 / (n - expected)
    return float(chdtrc(1, statistic))
