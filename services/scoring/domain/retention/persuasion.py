"""How many customers an action persuades, by stratum: from a prior and, as it comes in, from evidence.

Three levels. In a stratum, the customers of each arm who stay are Beta-binomial, about one rate for both arms: as long
as little is known, the arms are alike, whatever the risk. The strata's differences lie about the action's, which has the
catalogue's prior. A difference may be negative and no Beta can say so; the upper levels are therefore linear in their
first two moments (credibility: Buhlmann, Straub 1970; spread of the strata by DerSimonian, Laird 1986).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.retention.catalogue import Prior
from services.scoring.domain.retention.evidence import Counts, Evidence

ALIKE = 2.0
"""Customers' worth of belief that both arms of a stratum stay alike."""

NOBODY = Counts()


@dataclass(frozen=True)
class Belief:
    """Expected share of customers whom an action persuades to stay, its standard deviation, and what it rests on.

    `weight`: part of it that evidence decided, the rest being the prior. `observed`: the bare difference of the arms in
    the stratum, None where an arm is empty. Counts are the stratum's.
    """

    mean: float
    deviation: float
    weight: float
    observed: float | None = None
    counts: Counts = NOBODY


@dataclass(frozen=True)
class Beliefs:
    """Of one action: by stratum where there is evidence, and `elsewhere`."""

    elsewhere: Belief
    strata: Mapping[str, Belief]

    def of(self, stratum: str) -> Belief:
        return self.strata.get(stratum, self.elsewhere)


def beliefs(evidence: Evidence, action: str, prior: Prior) -> Beliefs:
    """What is known of an action. Strata with only one arm tell nothing of a difference, and change nothing."""
    known = [(stratum, counts) for stratum, counts in evidence.by_stratum(action) if counts.treated and counts.control]
    if not known:
        return Beliefs(Belief(prior.mean, sqrt(prior.variance), 0.0), {})
    difference, variance = np.array([_difference(counts) for _, counts in known]).T
    spread = _spread(difference, variance)
    precision = 1.0 / (variance + spread)
    whole = 1.0 / prior.variance + float(precision.sum())
    mean = (prior.mean / prior.variance + float(precision @ difference)) / whole
    from_prior = 1.0 / (prior.variance * whole)
    elsewhere = Belief(mean, sqrt(1.0 / whole + spread), 1.0 - from_prior)
    pooled = variance / (variance + spread)
    own = pooled * mean + (1.0 - pooled) * difference
    deviation = np.sqrt(pooled * spread + pooled**2 / whole)
    strata = {
        stratum: Belief(
            float(own[i]), float(deviation[i]), 1.0 - from_prior * float(pooled[i]), _observed(counts), counts
        )
        for i, (stratum, counts) in enumerate(known)
    }
    return Beliefs(elsewhere, strata)


def _difference(counts: Counts) -> tuple[float, float]:
    """Posterior mean and variance of the difference of the arms."""
    stayed, n = counts.treated_stayed + counts.control_stayed, counts.treated + counts.control
    treated = _posterior(counts.treated, counts.treated_stayed, stayed / n)
    control = _posterior(counts.control, counts.control_stayed, stayed / n)
    # Where all stayed, or none, the next customer may still do otherwise: Laplace's rule keeps the variance above 0.
    rate = (stayed + 1.0) / (n + 2.0)
    doubt = rate * (1.0 - rate)
    return treated - control, doubt / (counts.treated + ALIKE + 1.0) + doubt / (counts.control + ALIKE + 1.0)


def _posterior(customers: int, stayed: int, prior_rate: float) -> float:
    """Mean of a Beta, prior and customers together."""
    return (stayed + ALIKE * prior_rate) / (customers + ALIKE)


def _spread(difference: Floats, variance: Floats) -> float:
    """Variance of the strata's true differences, above what chance explains."""
    weight = 1.0 / variance
    mean = weight @ difference / weight.sum()
    surplus = float(weight @ (difference - mean) ** 2) - (len(weight) - 1)
    scale = float(weight.sum() - weight @ weight / weight.sum())
    return max(0.0, surplus / scale) if scale > 0 else 0.0


def _observed(counts: Counts) -> float:
    return counts.treated_stayed / counts.treated - counts.control_stayed / counts.control
