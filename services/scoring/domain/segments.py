"""Six words for a customer's standing, so that people need not read probabilities. Vectorised; knows no model.

| segment | rule, the first that fits |
|---|---|
| new | first purchase at most 30 days ago |
| gone | P(alive) below one half |
| valuable-slipping | in the top fifth by money, and slipping |
| valuable | in the top fifth by money |
| slipping | silent for longer than four in five such customers who are still there would be |
| regular | everybody else |
"""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats

Segment = Literal["new", "gone", "valuable-slipping", "valuable", "slipping", "regular"]
SEGMENTS: tuple[Segment, ...] = get_args(Segment)
Codes = npt.NDArray[np.int8]
"""Positions in SEGMENTS; -1: none."""
NEW_DAYS = 30
GONE_BELOW = 0.5
SLIPPING_BELOW = 0.2
SLACK = 0.05
"""How far, as a part of it, a threshold must be crossed before a customer is said to have changed segment."""


def segments(
    age: Floats, p_alive: Floats, p_silent: Floats, money: Floats, top_money: float, slack: float = 0
) -> Codes:
    """Codes of the segments; `slack` moves all thresholds towards (+) or away from (-) leaving and wealth."""
    top = money >= top_money * (1 - slack)
    slipping = p_silent < SLIPPING_BELOW * (1 + slack)
    rules = [
        age <= NEW_DAYS,
        p_alive < GONE_BELOW * (1 + slack),
        top & slipping,
        top,
        slipping,
    ]
    return np.select(rules, range(5), default=5).astype(np.int8)


def plausible_still(told: Codes, *candidates: Codes) -> npt.NDArray[np.bool_]:
    """Whether what was told last is still one of the candidates."""
    still: npt.NDArray[np.bool_] = np.any([told == codes for codes in candidates], axis=0)
    return still
