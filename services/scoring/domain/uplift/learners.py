"""Learners of uplift: by how much the treatment raises the expected outcome of a customer with these features.

| learner | how | source |
|---|---|---|
| S | one regression with the treatment and its products with the features | Lo 2002, SIGKDD Explorations 4(2) |
| T | one regression per arm, their difference | Hansotia, Rukstales 2002, J. Interactive Marketing 16(3) |
| DR | regression of doubly robust effects, whose nuisances are cross-fitted | Kennedy 2023, EJS 17(2), algorithm 1 |
| CVT | regression of a class that says "moved by the treatment" | Jaskowski, Jaroszewicz 2012, ICML workshop |

The response model is no learner of uplift: it ranks by the outcome expected under treatment, and is what they must beat.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.bases import Base, Fitted, read
from services.scoring.domain.uplift.trial import Trial

Learner = Literal["S", "T", "DR", "CVT", "response"]
NUISANCE_PARTS = 3


class Scorer(Protocol):
    """Tells the uplift of customers with these features, (n, d), in units of the outcome, as (n,)."""

    def predict(self, features: Floats) -> Floats: ...


@dataclass(frozen=True)
class Single:
    """The S learner: `fitted` reads features, arm and their products; `centre` (d,) is where products are taken from."""

    fitted: Fitted
    centre: Floats

    def predict(self, features: Floats) -> Floats:
        treated, control = (
            self.fitted.predict(with_treatment(features, np.full(len(features), arm), self.centre))
            for arm in (1.0, 0.0)
        )
        return treated - control


@dataclass(frozen=True)
class Difference:
    """The T learner."""

    treated: Fitted
    control: Fitted

    def predict(self, features: Floats) -> Floats:
        return self.treated.predict(features) - self.control.predict(features)


@dataclass(frozen=True)
class Straight:
    """`slope` times one regression plus `shift`: DR and response as they are, CVT as 2 p - 1."""

    fitted: Fitted
    slope: float = 1.0
    shift: float = 0.0

    def predict(self, features: Floats) -> Floats:
        return self.slope * self.fitted.predict(features) + self.shift


def with_treatment(features: Floats, treated: Floats, centre: Floats) -> Floats:
    """(n, 2 d + 1): features, treatment, products of both."""
    return np.column_stack([features, treated, (features - centre) * treated[:, None]])


def learn(learner: Learner, base: Base, trial: Trial, seed: int) -> Scorer:
    """Fit one learner on a trial; the same seed and trial give the same scores."""
    return {"S": _single, "T": _difference, "DR": _doubly_robust, "CVT": _class_variable, "response": _response}[
        learner
    ](base, trial, seed)


def _single(base: Base, trial: Trial, seed: int) -> Scorer:
    centre: Floats = trial.features.mean(axis=0)
    design = with_treatment(trial.features, trial.treated.astype(np.float64), centre)
    return Single(base.fit(design, trial.outcome, np.ones(len(trial)), binary=trial.binary, seed=seed), centre)


def _difference(base: Base, trial: Trial, seed: int) -> Scorer:
    return Difference(_of_arm(base, trial, seed, treated=True), _of_arm(base, trial, seed, treated=False))


def _response(base: Base, trial: Trial, seed: int) -> Scorer:
    return Straight(_of_arm(base, trial, seed, treated=True))


def _class_variable(base: Base, trial: Trial, seed: int) -> Scorer:
    """For outcomes of 0 and 1 the class is 'treated with it or control without it'; each arm weighs the same.

    For amounts, the regression is of an outcome transformed to have the uplift as its mean (Athey, Imbens 2015).
    """
    share = np.where(trial.treated, trial.propensity, 1.0 - trial.propensity)
    if not trial.binary:
        transformed = np.where(trial.treated, trial.outcome, -trial.outcome) / share
        return Straight(base.fit(trial.features, transformed, np.ones(len(trial)), binary=False, seed=seed))
    moved = (trial.outcome == trial.treated).astype(np.float64)
    return Straight(base.fit(trial.features, moved, 0.5 / share, binary=True, seed=seed), slope=2.0, shift=-1.0)


def _doubly_robust(base: Base, trial: Trial, seed: int) -> Scorer:
    effects = doubly_robust_effects(base, trial, seed)
    return Straight(base.fit(trial.features, effects, np.ones(len(trial)), binary=False, seed=seed))


def doubly_robust_effects(base: Base, trial: Trial, seed: int) -> Floats:
    """(n,): noisy effect of each customer, unbiased as propensities are known; the regressions only calm the noise."""
    by_treated, by_control = np.empty(len(trial)), np.empty(len(trial))
    for others, out in trial.splits(NUISANCE_PARTS, seed):
        by_treated[out] = _of_arm(base, others, seed, treated=True).predict(trial.features[out])
        by_control[out] = _of_arm(base, others, seed, treated=False).predict(trial.features[out])
    surprise = trial.outcome - np.where(trial.treated, by_treated, by_control)
    weight = np.where(trial.treated, 1.0 / trial.propensity, -1.0 / (1.0 - trial.propensity))
    effects: Floats = by_treated - by_control + weight * surprise
    return effects


def _of_arm(base: Base, trial: Trial, seed: int, *, treated: bool) -> Fitted:
    features, outcome = trial.arm(treated=treated)
    return base.fit(features, outcome, np.ones(len(outcome)), binary=trial.binary, seed=seed)


def written(scorer: Scorer) -> dict[str, Any]:
    """A scorer as plain numbers and text, to be kept as a version."""
    match scorer:
        case Single(fitted, centre):
            return {"kind": "S", "fitted": fitted.written(), "centre": [float(value) for value in centre]}
        case Difference(treated, control):
            return {"kind": "T", "treated": treated.written(), "control": control.written()}
        case Straight(fitted, slope, shift):
            return {"kind": "straight", "fitted": fitted.written(), "slope": slope, "shift": shift}
    raise TypeError(type(scorer).__name__)


def scorer_of(written: dict[str, Any]) -> Scorer:
    """What `written` wrote."""
    if written["kind"] == "S":
        return Single(read(written["fitted"]), np.array(written["centre"], dtype=np.float64))
    if written["kind"] == "T":
        return Difference(read(written["treated"]), read(written["control"]))
    return Straight(read(written["fitted"]), written["slope"], written["shift"])
