"""The Qini of learners among customers whom they had not seen, with intervals that know how many learners were tried.

The best of many looks better than it is. Its interval is therefore as wide as the widest of all would need to be (max-t
by the bootstrap: Romano, Wolf 2005, Econometrica 73(4) 1237-1282).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.bases import Base, Boosted, Linear
from services.scoring.domain.uplift.effects import Interval
from services.scoring.domain.uplift.learners import Learner, learn
from services.scoring.domain.uplift.ranking import Ranking, part_of_best
from services.scoring.domain.uplift.trial import Trial


@dataclass(frozen=True)
class Recipe:
    """A learner and what it is made of. A `challenger` is only chosen where it is surely better than all that are not."""

    learner: Learner
    base: Base
    challenger: bool = False

    @property
    def name(self) -> str:
        return f"{self.learner} {self.base.name}"


LINEAR = tuple(Recipe(learner, Linear(penalty)) for learner in ("S", "T", "DR", "CVT") for penalty in (1e-3, 1e-1))
TREES = tuple(Recipe(learner, Boosted(), challenger=True) for learner in ("S", "DR"))
"""Effects are weak, and what bends is mostly chance: trees have to prove themselves."""
RECIPES = (*LINEAR, *TREES)
RESPONSE = Recipe("response", Linear())


@dataclass(frozen=True)
class Effort:
    """What measuring may cost: random divisions of the customers, parts of each, and draws of the bootstrap."""

    divisions: int = 2
    parts: int = 5
    draws: int = 200
    confidence: float = 0.95


def cross_fitted(recipes: Sequence[Recipe], trial: Trial, parts: int, seed: int) -> Floats:
    """(recipes, n): scores of all customers, each by learners fitted on the other parts."""
    scores = np.empty((len(recipes), len(trial)))
    for others, out in trial.splits(parts, seed):
        for i, recipe in enumerate(recipes):
            scores[i, out] = learn(recipe.learner, recipe.base, others, seed).predict(trial.features[out])
    return scores


@dataclass(frozen=True)
class Measured:
    """Qini AUC of each recipe: `once` (divisions, recipes) as it was, `draws` (B, recipes) under the bootstrap."""

    once: Floats
    draws: Floats
    confidence: float

    @classmethod
    def of(cls, trial: Trial, scores: Sequence[Floats], effort: Effort, seed: int) -> "Measured":
        """`scores`: for each division (recipes, n)."""
        rankings = [[Ranking.by(score, trial.outcome, trial.treated) for score in division] for division in scores]
        best = Ranking.best_by_qini(trial.outcome, trial.treated)
        rng = np.random.default_rng(seed)
        weights = (_resampled(len(trial), rng) for _ in range(effort.draws))
        draws = np.array([qinis(rankings, best, weight).mean(axis=0) for weight in weights])
        return cls(qinis(rankings, best, None), draws, effort.confidence)

    def best_first(self, recipes: int) -> list[int]:
        """Of the first so many recipes."""
        order: list[int] = np.argsort(-self.once[:, :recipes].mean(axis=0), kind="stable").tolist()
        return order

    def among(self, recipes: int) -> list[Interval]:
        """Intervals of the first so many recipes that hold for whichever of them is looked at."""
        times = float(np.quantile(_deviations(self.draws[:, :recipes]).max(axis=1), self.confidence))
        return [self._interval(self.once[:, i], self.draws[:, i], times) for i in range(recipes)]

    def alone(self, i: int) -> Interval:
        return self._by_itself(self.once[:, i], self.draws[:, i])

    def gain(self, i: int, over: int) -> Interval:
        """Of one recipe over another, paired: both were measured on the same customers."""
        return self._by_itself(self.once[:, i] - self.once[:, over], self.draws[:, i] - self.draws[:, over])

    def _by_itself(self, once: Floats, draws: Floats) -> Interval:
        times = float(np.quantile(_deviations(draws[:, None]), self.confidence))
        return self._interval(once, draws, times)

    def _interval(self, once: Floats, draws: Floats, times: float) -> Interval:
        # Other divisions would have given other figures: a second source of error, beside which customers were drawn.
        between = float(once.var(ddof=1)) / len(once) if len(once) > 1 else 0.0
        return Interval.around(float(once.mean()), times * float(np.sqrt(draws.var(ddof=1) + between)))


def qinis(rankings: Sequence[Sequence[Ranking]], best: Ranking, weight: Floats | None) -> Floats:
    """(divisions, recipes): Qini AUC where each customer counts so often."""
    most = best.qini_curve(weight)
    return np.array([[part_of_best(one.qini_curve(weight), most) for one in division] for division in rankings])


def _resampled(n: int, rng: np.random.Generator) -> Floats:
    """How often each customer is drawn when n are drawn with replacement."""
    return np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)


def _deviations(draws: Floats) -> Floats:
    """(B, recipes): distances from the mean in standard deviations; 0 where a recipe knows no differences."""
    spread = draws.std(axis=0, ddof=1)
    apart: Floats = np.abs(draws - draws.mean(axis=0)) / np.where(spread > 0, spread, np.inf)
    return apart
