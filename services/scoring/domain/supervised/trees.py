"""Gradient-boosted trees (LightGBM: Ke et al. 2017, NeurIPS), made to give the same model from the same rows.

Small trees and a slow rate: bases of some thousand customers carry no more. A fitted model is LightGBM's own text.
LightGBM is imported where it is used: it takes seconds, and a base without labels has no use for it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from services.scoring.domain.fitting import Floats

if TYPE_CHECKING:
    import lightgbm

MAX_ROUNDS = 2000
PATIENCE = 50
"""Rounds without gain after which no more are tried."""
SHAPE = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.5,
    "lambda_l2": 5.0,
    "max_bin": 127,
}
THE_SAME_AGAIN = {"deterministic": True, "force_col_wise": True, "verbosity": -1}


@dataclass(frozen=True)
class Trees:
    """The text model."""

    text: str

    @classmethod
    def fitted(cls, matrix: Floats, happened: Floats, rounds: int, seed: int, threads: int = 1) -> "Trees":
        import lightgbm

        data = lightgbm.Dataset(matrix, label=happened, free_raw_data=False)
        booster = lightgbm.train(_settings(seed, threads), data, num_boost_round=rounds)
        return cls(booster.model_to_string())

    def log_odds(self, matrix: Floats) -> Floats:
        if not len(matrix):
            return np.empty(0)
        return np.asarray(self._booster.predict(matrix, raw_score=True, num_threads=1), dtype=float)

    def contributions(self, matrix: Floats) -> Floats:
        """(rows, columns + 1): what each column adds to the log-odds, last the expectation; they sum to the log-odds (Lundberg
        et al. 2020, Nature Machine Intelligence 2).
        """
        if not len(matrix):
            return np.empty((0, matrix.shape[1] + 1))
        return np.asarray(self._booster.predict(matrix, pred_contrib=True, num_threads=1), dtype=float)

    @cached_property
    def _booster(self) -> "lightgbm.Booster":
        import lightgbm

        return lightgbm.Booster(model_str=self.text)


@dataclass(frozen=True)
class Rehearsal:
    """A model with a few rounds more than enough. `best`: after how many of them it foretold the rows it was tried on best."""

    booster: "lightgbm.Booster"
    best: int

    def log_odds(self, matrix: Floats, rounds: int) -> Floats:
        """Of so many rounds, or all there are."""
        odds = self.booster.predict(matrix, raw_score=True, num_iteration=rounds, num_threads=1)
        return np.asarray(odds, dtype=float)


def rehearsed(learnt: tuple[Floats, Floats], tried: tuple[Floats, Floats], seed: int, threads: int = 1) -> Rehearsal:
    """A model that learns from rows and what came of them until it foretells others no better."""
    import lightgbm

    data = lightgbm.Dataset(learnt[0], label=learnt[1], free_raw_data=False)
    trial = lightgbm.Dataset(tried[0], label=tried[1], reference=data, free_raw_data=False)
    settings = _settings(seed, threads) | {"metric": "binary_logloss"}
    patience = lightgbm.early_stopping(PATIENCE, verbose=False)
    booster = lightgbm.train(settings, data, MAX_ROUNDS, valid_sets=[trial], callbacks=[patience])
    return Rehearsal(booster, max(1, booster.best_iteration))


def _settings(seed: int, threads: int) -> dict[str, Any]:
    return {**SHAPE, **THE_SAME_AGAIN, "seed": seed, "num_threads": threads}
