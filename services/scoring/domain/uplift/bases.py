"""The two kinds of regression that the learners are made of: penalised linear ones, and boosted trees.

scikit-learn and LightGBM fit; what is fitted can be written down and read again. Both are imported where they are used:
a process that only predicts with lines loads neither.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from services.scoring.domain.fitting import Floats

if TYPE_CHECKING:
    import lightgbm


class Fitted(Protocol):
    """Predicts the outcome of customers with these features, (n, d), as (n,)."""

    def predict(self, features: Floats) -> Floats: ...

    def written(self) -> dict[str, Any]:
        """As plain numbers and text, for `read`."""
        ...


class Base(Protocol):
    """A way to fit. `binary`: outcomes are 0 or 1, predictions are probabilities. `weight` says how much each counts."""

    @property
    def name(self) -> str: ...

    def fit(self, features: Floats, outcome: Floats, weight: Floats, *, binary: bool, seed: int) -> Fitted: ...


@dataclass(frozen=True)
class Constant:
    """Where the outcome does not vary there is nothing to learn."""

    value: float

    def predict(self, features: Floats) -> Floats:
        return np.full(len(features), self.value)

    def written(self) -> dict[str, Any]:
        return {"kind": "constant", "value": self.value}


@dataclass(frozen=True)
class Line:
    """Intercept plus slopes times features; `logistic`: that is the logarithm of the odds."""

    intercept: float
    slopes: Floats
    logistic: bool

    def predict(self, features: Floats) -> Floats:
        line = self.intercept + features @ self.slopes
        return 1.0 / (1.0 + np.exp(-np.clip(line, -500.0, 500.0))) if self.logistic else line

    def written(self) -> dict[str, Any]:
        slopes = [float(slope) for slope in self.slopes]
        return {"kind": "line", "intercept": self.intercept, "slopes": slopes, "logistic": self.logistic}


@dataclass(frozen=True)
class Trees:
    """Boosted trees, in LightGBM's own text form."""

    text: str

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def predict(self, features: Floats) -> Floats:
        return np.asarray(self._booster.predict(features, num_threads=1), dtype=np.float64)

    def written(self) -> dict[str, Any]:
        return {"kind": "trees", "text": self.text}


def read(written: dict[str, Any]) -> Fitted:
    """What `written` wrote."""
    if written["kind"] == "constant":
        return Constant(written["value"])
    if written["kind"] == "line":
        return Line(written["intercept"], np.array(written["slopes"], dtype=np.float64), written["logistic"])
    return Trees(written["text"])


@dataclass(frozen=True)
class Linear:
    """Logistic or linear regression on standardised features; `penalty` on the squared slopes, per customer."""

    penalty: float = 1e-3

    @property
    def name(self) -> str:
        return f"linear({self.penalty:g})"

    def fit(self, features: Floats, outcome: Floats, weight: Floats, *, binary: bool, seed: int) -> Fitted:  # noqa: ARG002
        from sklearn.linear_model import LogisticRegression, Ridge

        if np.ptp(outcome) == 0:
            return Constant(float(outcome[0]))
        centre, spread = features.mean(axis=0), features.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        strength = self.penalty * weight.sum()
        regression: Any = (
            LogisticRegression(C=1.0 / strength, solver="newton-cholesky") if binary else Ridge(alpha=strength)
        )
        regression.fit((features - centre) / scale, outcome, sample_weight=weight)
        slopes = np.ravel(regression.coef_) / scale
        intercept = float(np.ravel(regression.intercept_)[0] - centre @ slopes)
        return Line(intercept, slopes, binary)


@dataclass(frozen=True)
class Boosted:
    """LightGBM: few small trees, for effects are weak. One thread and a seed, so that the same data give the same trees."""

    trees: int = 80
    leaves: int = 5
    rate: float = 0.05
    smallest_leaf: int = 200

    @property
    def name(self) -> str:
        return "trees"

    def fit(self, features: Floats, outcome: Floats, weight: Floats, *, binary: bool, seed: int) -> Fitted:
        import lightgbm

        if np.ptp(outcome) == 0:
            return Constant(float(outcome[0]))
        settings = {
            "objective": "binary" if binary else "regression",
            "num_leaves": self.leaves,
            "learning_rate": self.rate,
            "min_data_in_leaf": max(1, min(self.smallest_leaf, len(outcome) // 20)),
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(features, label=outcome, weight=weight)
        return Trees(lightgbm.train(settings, data, num_boost_round=self.trees).model_to_string())
