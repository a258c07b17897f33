"""Features too good to be true: one that alone tells who left was most likely written down afterwards."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from services.scoring.domain.fitting import Floats
from services.scoring.domain.supervised.features import Row, Value

SUSPECT = 0.85
"""An AUC of one feature alone that behaviour hardly ever reaches."""
SMOOTHING = 10.0
"""Rows by which a category's share of leavers leans on the base rate, so that rare categories are not clever."""


class Suspect(NamedTuple):
    feature: str
    auc: float


def suspects(rows: Sequence[Row], happened: Floats) -> list[Suspect]:
    """Features that alone separate leavers from stayers this well, the best first; by value, or by being missing at all.

    They are to be looked at by a person; until then no model may learn from them.
    """
    found = []
    for name in sorted({name for row in rows for name in row}):
        strength = _strength([row.get(name) for row in rows], happened)
        if strength >= SUSPECT:
            found.append(Suspect(name, strength))
    return sorted(found, key=lambda suspect: -suspect.auc)


def _strength(values: list[Value], happened: Floats) -> float:
    if any(isinstance(value, str) for value in values):
        return _of_categories(np.array([str(value) for value in values]), happened)
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    known = ~np.isnan(numbers)
    filled = np.where(known, numbers, numbers[known].mean() if known.any() else 0.0)
    return max(_either_way(filled, happened), _either_way(known.astype(float), happened))


def _of_categories(values: npt.NDArray[np.str_], happened: Floats) -> float:
    """Each half of the rows is judged by the shares of leavers in the other: a text that is everybody's own tells nothing."""
    levels, code = np.unique(values, return_inverse=True)
    half = np.arange(len(values)) % 2 == 0
    found = []
    for judged in (half, ~half):
        count = np.bincount(code[~judged], minlength=len(levels))
        left = np.bincount(code[~judged], weights=happened[~judged], minlength=len(levels))
        share = (left + SMOOTHING * happened[~judged].mean()) / (count + SMOOTHING)
        found.append(_auc(share[code[judged]], happened[judged]))
    return float(np.mean(found))


def _either_way(score: Floats, happened: Floats) -> float:
    auc = _auc(score, happened)
    return max(auc, 1.0 - auc)


def _auc(score: Floats, happened: Floats) -> float:
    """Probability that a leaver has the higher score, ties one half; 1/2 where there is only one outcome."""
    yes = float(happened.sum())
    no = len(happened) - yes
    if not yes or not no:
        return 0.5
    return float((rankdata(score) @ happened - yes * (yes + 1) / 2) / (yes * no))
