"""Which learner a trial's customers are given, and whether its ranking may decide.

Chosen by cross-fitting inside the trial; a challenger has to beat the champion by paired evidence. Where the interval of the best Qini covers 0, nobody knows whom the treatment
helps more, and all customers are treated alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.effects import Interval, effect
from services.scoring.domain.uplift.learners import Scorer, doubly_robust_effects, learn
from services.scoring.domain.uplift.measuring import RECIPES, RESPONSE, Effort, Measured, Recipe, cross_fitted
from services.scoring.domain.uplift.trial import Trial

Policy = Literal["by uplift", "treat all", "treat none"]
SMALLEST_ARM = 50
"""With fewer customers in an arm there is nothing to divide into parts."""


@dataclass(frozen=True)
class Standing:
    """A recipe's Qini among customers that it had not seen."""

    recipe: Recipe
    qini: Interval


@dataclass(frozen=True)
class Calibration:
    """From scores to effects: the `mean` effect plus `slope` times the distance from the `centre` of the scores.

    The best linear predictor of effects (Chernozhukov, Demirer, Duflo, Fernandez-Val 2018, NBER 24678): learners of weak
    effects exaggerate differences, and money is counted with what is left of them.
    """

    mean: float
    slope: float
    centre: float

    def effect(self, score: Floats) -> Floats:
        calibrated: Floats = self.mean + self.slope * (score - self.centre)
        return calibrated


@dataclass(frozen=True)
class Choice:
    """`standings`: the chosen one first. `gain`: its Qini above the response model's. `whole`: effect of treating all."""

    standings: tuple[Standing, ...]
    response: Standing
    gain: Interval
    whole: Interval
    policy: Policy
    scorer: Scorer
    calibration: Calibration

    @property
    def chosen(self) -> Standing:
        return self.standings[0]

    def uplift(self, features: Floats) -> Floats:
        """(n,): expected effect of the treatment, the same for all unless the ranking has proved itself."""
        if self.policy == "by uplift":
            return self.calibration.effect(self.scorer.predict(features))
        return np.full(len(features), self.whole.estimate)


def choose(
    trial: Trial, seed: int, recipes: Sequence[Recipe] = RECIPES, effort: Effort | None = None
) -> Choice | Doubt:
    """Measure the recipes within a trial, fit the best on all of it, and say whether it may decide.

    A doubt instead of a choice where an arm is too small.
    """
    effort = effort or Effort()
    if min(trial.treated.sum(), (~trial.treated).sum()) < SMALLEST_ARM:
        return Doubt.TOO_FEW
    every, n = (*recipes, RESPONSE), len(recipes)
    scores = [cross_fitted(every, trial, effort.parts, seed + division) for division in range(effort.divisions)]
    measured = Measured.of(trial, scores, effort, seed)
    order, intervals = ranked(measured, recipes), measured.among(n)
    best, chosen = order[0], every[order[0]]
    whole = effect(trial.outcome[trial.treated], trial.outcome[~trial.treated], effort.confidence)
    return Choice(
        standings=tuple(Standing(every[i], intervals[i]) for i in order),
        response=Standing(RESPONSE, measured.alone(n)),
        gain=measured.gain(best, over=n),
        whole=whole,
        policy=policy_of(intervals[best], whole),
        scorer=learn(chosen.learner, chosen.base, trial, seed),
        calibration=calibrate(trial, [division[best] for division in scores], seed),
    )


def ranked(measured: Measured, recipes: Sequence[Recipe]) -> list[int]:
    """The best first, but a challenger only where its gain over the best of the others is surely above 0."""
    order = measured.best_first(len(recipes))
    champion = next((i for i in order if not recipes[i].challenger), order[0])
    if order[0] == champion or measured.gain(order[0], over=champion).low > 0:
        return order
    return [champion, *(i for i in order if i != champion)]


def policy_of(qini: Interval, whole: Interval) -> Policy:
    """By uplift if the ranking is better than none; otherwise all alike, and treated only if that is known to help."""
    if qini.low > 0:
        return "by uplift"
    return "treat all" if whole.low > 0 else "treat none"


def calibrate(trial: Trial, scores: Sequence[Floats], seed: int) -> Calibration:
    """From cross-fitted scores of several divisions. Differences are never exaggerated, nor turned round."""
    effects = doubly_robust_effects(Linear(), trial, seed)
    slopes = [float(np.cov(score, effects)[0, 1] / score.var(ddof=1)) if np.ptp(score) else 0.0 for score in scores]
    return Calibration(float(effects.mean()), min(max(float(np.mean(slopes)), 0.0), 1.0), float(np.mean(scores)))
