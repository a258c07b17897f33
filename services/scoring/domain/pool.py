"""Models pooled: what each foretells, weighted by how well they have foretold. Each customer's distribution is the mixture of theirs.

Weights by stacking of predictive distributions (Yao, Vehtari, Simpson, Gelman 2018, Bayesian Analysis 13(3), 917-1007):
those under which what came later was most probable. Two models that foretell about equally well, but err differently,
foretell better together; one that adds nothing gets no weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.scoring.domain.counts import AtLeast, Places
from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd

LIGHTEST = 0.05
"""A model of less weight is left out."""
ROUNDS = 200


@dataclass(frozen=True)
class Pool:
    """Models in one unit of time, and their weights, which add up to 1. Arguments as in `MbgCnbd`."""

    models: tuple[MbgCnbd, ...]
    weights: tuple[float, ...]

    def expected_purchases(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """E[X(horizon)]."""
        return self._mixed([model.expected_purchases(x, t_x, age, horizon) for model in self.models])

    def p_no_purchase(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
        """Probability of no purchase within the horizon."""
        return self._mixed([model.p_no_purchase(x, t_x, age, horizon) for model in self.models])

    def at_least(self, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> AtLeast:
        """P(at least n purchases within the horizon)."""
        each = [model.at_least(x, t_x, age, horizon) for model in self.models]
        return lambda n, whose: self._mixed([reached(n, whose) for reached in each])

    def _mixed(self, parts: Sequence[Floats]) -> Floats:
        mixed: Floats = np.array(self.weights) @ np.stack(parts)
        return mixed


def p_of_count(at_least: AtLeast, came: Floats) -> Floats:
    """How probable the number of purchases was that each customer made."""
    p, whose = np.zeros_like(came), np.arange(len(came))
    for n in np.unique(came).tolist():
        some: Places = whose[came == n]
        p[some] = (at_least(n, some) if n else 1.0) - at_least(n + 1.0, some)
    return np.maximum(p, np.finfo(float).tiny)


def stacked(models: Sequence[MbgCnbd], p: Sequence[Floats]) -> Pool:
    """The pool under which what came was most probable, `p` being how probable it was under each model."""
    probable = np.stack(p)
    weights = np.full(len(models), 1.0 / len(models))
    for _ in range(ROUNDS):
        weights = weights * np.mean(probable / (weights @ probable), axis=1)
    heavy = weights >= LIGHTEST
    kept = [model for model, keep in zip(models, heavy, strict=True) if keep]
    return Pool(tuple(kept), tuple((weights[heavy] / weights[heavy].sum()).tolist()))
