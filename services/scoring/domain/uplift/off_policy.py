"""What another policy would have earned, from the log of one that drew its actions with known probabilities."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.effects import Interval
from services.scoring.domain.uplift.trial import Ints


class NoSupport(ValueError):
    """The log holds nothing of what the policy would do."""


@dataclass(frozen=True)
class Log:
    """n decisions. `action`: (n,), codes from 0. `propensity`: (n,), with which it was drawn. `reward`: (n,)."""

    action: Ints
    propensity: Floats
    reward: Floats

    def __post_init__(self) -> None:
        if not len(self.action) or not ((self.propensity > 0) & (self.propensity <= 1)).all():
            raise NoSupport("a log has decisions, each drawn with a probability above 0 and at most 1")

    def weights(self, policy: Floats) -> Floats:
        """How much more often the policy, (n, actions) of probabilities, would have done what was done."""
        weight: Floats = policy[np.arange(len(self.action)), self.action] / self.propensity
        if not weight.any():
            raise NoSupport("the policy would have done nothing of what was done")
        return weight


@dataclass(frozen=True)
class Value:
    """Mean reward per decision, and how many decisions drawn by the policy itself would have told as much (Kish)."""

    reward: Interval
    effective: float


def snips(log: Log, policy: Floats, confidence: float = 0.95) -> Value:
    """Self-normalised inverse propensity scoring (Swaminathan, Joachims 2015, NIPS); interval by the delta method."""
    weight = log.weights(policy)
    mean = float(weight @ log.reward / weight.sum())
    error = float(np.sqrt(np.sum((weight * (log.reward - mean)) ** 2))) / float(weight.sum())
    return _value(mean, error, weight, confidence)


def doubly_robust(log: Log, policy: Floats, expected: Floats, confidence: float = 0.95) -> Value:
    """Dudik, Langford, Li (2011), ICML. `expected`: (n, actions), rewards by a model fitted on other decisions.

    Unbiased as propensities are known; the better the model, the narrower the interval.
    """
    weight = log.weights(policy)
    foreseen = expected[np.arange(len(log.action)), log.action]
    each = (policy * expected).sum(axis=1) + weight * (log.reward - foreseen)
    error = float(each.std(ddof=1) / np.sqrt(len(each))) if len(each) > 1 else float("inf")
    return _value(float(each.mean()), error, weight, confidence)


def _value(mean: float, error: float, weight: Floats, confidence: float) -> Value:
    half = float(ndtri(0.5 + confidence / 2)) * error
    return Value(Interval.around(mean, half), float(weight.sum() ** 2 / (weight @ weight)))
