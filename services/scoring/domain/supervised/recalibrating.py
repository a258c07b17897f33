"""Mending probabilities after the fact: not at all, by a line in the log-odds, or by steps; whichever foretells others best.

Logistic: Platt 1999, Advances in Large Margin Classifiers. Isotonic: Zadrozny, Elkan 2002, KDD. Both are learnt from
log-odds of rows that the model had not seen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from services.scoring.domain.fitting import Floats

Folds = npt.NDArray[np.int64]
NONE, LINE, STEPS = "none", "logistic", "isotonic"
FARTHEST = 12.0
"""Log-odds beyond which nobody is more certain."""


@dataclass(frozen=True)
class Calibrator:
    """Log-odds meant by log-odds said: `line` is (intercept, slope), or `knots` are joined by lines, level outside."""

    kind: str = NONE
    line: tuple[float, float] = (0.0, 1.0)
    knots: tuple[tuple[float, float], ...] = ()

    def log_odds(self, said: Floats) -> Floats:
        if self.kind == STEPS:
            at, meant = np.array(self.knots).T
            return np.asarray(np.interp(said, at, meant), dtype=float)
        return self.line[0] + self.line[1] * said

    def probability(self, said: Floats) -> Floats:
        return np.asarray(expit(self.log_odds(said)), dtype=float)

    def as_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "line": self.line, "knots": self.knots}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Calibrator":
        intercept, slope = data["line"]
        return cls(data["kind"], (intercept, slope), tuple((at, meant) for at, meant in data["knots"]))


def by_line(said: Floats, happened: Floats) -> Calibrator:
    """Intercept and slope of greatest likelihood; a slope below zero would turn the order round, and is zero instead."""

    def loss(parameters: Floats) -> tuple[float, Floats]:
        odds = parameters[0] + parameters[1] * said
        wrong = expit(odds) - happened
        value = -float(np.mean(happened * log_expit(odds) + (1 - happened) * log_expit(-odds)))
        return value, np.array([wrong.mean(), (wrong * said).mean()])

    best: Any = minimize(loss, [0.0, 1.0], jac=True, method="L-BFGS-B", bounds=[(-FARTHEST, FARTHEST), (0.0, 10.0)])
    return Calibrator(LINE, (float(best.x[0]), float(best.x[1])))


def by_steps(said: Floats, happened: Floats) -> Calibrator:
    """The rising curve nearest to what came; half a row is presumed of each outcome, so that no step is certain."""
    from sklearn.isotonic import IsotonicRegression  # takes seconds, and is used for fitting only

    curve = IsotonicRegression(out_of_bounds="clip").fit(said, happened)
    least = 0.5 / (len(said) + 1.0)
    meant = np.clip(curve.y_thresholds_, least, 1.0 - least)
    odds = np.log(meant) - np.log1p(-meant)
    return Calibrator(STEPS, knots=tuple(zip(curve.X_thresholds_.tolist(), odds.tolist(), strict=True)))


WAYS: dict[str, Callable[[Floats, Floats], Calibrator]] = {LINE: by_line, STEPS: by_steps}


def chosen(said: Floats, happened: Floats, fold: Folds) -> Calibrator:
    """The way that foretells rows of other folds best, and only if it gains more than its standard error over none."""
    plain = losses(said, happened)
    best, most = NONE, 0.0
    for kind, way in WAYS.items():
        gains = plain - _tried(way, said, happened, fold)
        gain, error = float(gains.mean()), float(gains.std() / np.sqrt(len(gains)))
        if gain > max(error, most):
            best, most = kind, gain
    return WAYS[best](said, happened) if best != NONE else Calibrator()


def losses(odds: Floats, happened: Floats) -> Floats:
    """(n,): nats short of certainty, of log-odds."""
    return np.asarray(-log_expit(np.where(happened > 0, odds, -odds)), dtype=float)


def _tried(way: Callable[[Floats, Floats], Calibrator], said: Floats, happened: Floats, fold: Folds) -> Floats:
    """Losses of each row under a calibrator that has seen only the other folds."""
    lost = np.empty(len(said))
    for one in np.unique(fold):
        out = fold == one
        lost[out] = losses(way(said[~out], happened[~out]).log_odds(said[out]), happened[out])
    return lost
