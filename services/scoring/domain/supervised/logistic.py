"""Logistic regression with straight pieces: the challenger that a few numbers describe.

Each number enters as it is and from each quartile on, so that its effect may bend three times (linear splines: Hastie,
Tibshirani, Friedman 2009, The Elements of Statistical Learning, 5.2); what is missing is as the mean, and a column says so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.scoring.domain.fitting import Floats

QUARTILES = (0.25, 0.5, 0.75)
FEW_VALUES = 4
"""A number that takes no more values than these is not bent."""
PENALTY = 0.1
"""C of the ridge penalty, columns being of unit variance."""


@dataclass(frozen=True)
class Logistic:
    """`knots`: (column, value) from which on the column counts again. Then per term: mean, scale, weight; and the intercept."""

    knots: tuple[tuple[int, float], ...]
    missing: tuple[int, ...]
    """Columns that had gaps when it was fitted."""
    mean: Floats
    scale: Floats
    weight: Floats
    intercept: float

    @classmethod
    def fitted(cls, matrix: Floats, happened: Floats) -> "Logistic":
        from sklearn.linear_model import LogisticRegression  # as slow to import as LightGBM, and used for fitting only

        knots = tuple((column, knot) for column in range(matrix.shape[1]) for knot in _knots(matrix[:, column]))
        missing = tuple(np.flatnonzero(np.isnan(matrix).any(axis=0)).tolist())
        plain = cls(knots, missing, np.empty(0), np.empty(0), np.empty(0), 0.0)
        terms = plain._terms(matrix)
        known = ~np.isnan(terms)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, terms, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, terms - mean, 0.0) ** 2).sum(axis=0) / count)
        scale = np.where(spread > 0, spread, 1.0)
        standard = np.nan_to_num((terms - mean) / scale, nan=0.0)
        learner = LogisticRegression(C=PENALTY, solver="newton-cholesky").fit(standard, happened)
        return cls(knots, missing, mean, scale, learner.coef_[0], float(learner.intercept_[0]))

    def log_odds(self, matrix: Floats) -> Floats:
        odds: Floats = self.contributions(matrix).sum(axis=1) + self.intercept
        return odds

    def contributions(self, matrix: Floats) -> Floats:
        """(rows, columns): what each column adds to the intercept's log-odds, which are those of the mean customer."""
        standard = np.nan_to_num((self._terms(matrix) - self.mean) / self.scale, nan=0.0)
        by_column = np.zeros(matrix.shape)
        for term, column in enumerate(self._columns(matrix.shape[1])):
            by_column[:, column] += standard[:, term] * self.weight[term]
        return by_column

    def as_json(self) -> dict[str, Any]:
        arrays = {"mean": self.mean.tolist(), "scale": self.scale.tolist(), "weight": self.weight.tolist()}
        return {"knots": self.knots, "missing": self.missing, "intercept": self.intercept, **arrays}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Logistic":
        mean, scale, weight = (np.array(data[name], dtype=float) for name in ("mean", "scale", "weight"))
        knots = tuple((int(column), float(knot)) for column, knot in data["knots"])
        return cls(knots, tuple(data["missing"]), mean, scale, weight, float(data["intercept"]))

    def _terms(self, matrix: Floats) -> Floats:
        bent = [np.maximum(matrix[:, column] - knot, 0.0) for column, knot in self.knots]
        gaps = [np.isnan(matrix[:, column]).astype(float) for column in self.missing]
        return np.column_stack([matrix, *bent, *gaps])

    def _columns(self, columns: int) -> list[int]:
        """Whose term each is."""
        return [*range(columns), *(column for column, _ in self.knots), *self.missing]


def _knots(values: Floats) -> list[float]:
    known = values[~np.isnan(values)]
    if len(np.unique(known)) <= FEW_VALUES:
        return []
    inside = np.unique(np.quantile(known, QUARTILES))
    return [float(knot) for knot in inside if known.min() < knot < known.max()]
