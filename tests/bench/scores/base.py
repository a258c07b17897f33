"""A base to fit and to score: customers who arrive evenly over five years and buy, leave and spend as the models say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DAYS = 5 * 365
FIRST_DAY = 18_628
"""2021-01-01."""
HORIZON_DAYS = 90
MOST_PURCHASES = 400
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Base:
    """x repeat purchase days, first day, t_x and age T in days, mean repeat spend and all money: (n,) each."""

    x: Array
    first_day: Array
    t_x: Array
    age: Array
    spend: Array
    money: Array

    def save(self, place: Path) -> None:
        np.savez(place, **vars(self))

    @classmethod
    def load(cls, place: Path) -> Base:
        with np.load(place) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})

    @property
    def today(self) -> int:
        return FIRST_DAY + DAYS


def simulated(customers: int, seed: int) -> Base:
    random = np.random.default_rng(seed)
    rate, dropout = random.gamma(0.8, 1 / 50.0, customers), random.beta(0.9, 2.5, customers)
    mean = 6.0 / random.gamma(3.8, 1 / 15.0, customers)
    begin = random.integers(0, DAYS, customers)
    x, last = np.zeros(customers), begin.astype(np.float64)
    alive = np.flatnonzero(random.random(customers) > dropout)
    for _ in range(MOST_PURCHASES):
        # At least a day: a purchase is a day on which somebody buys.
        next_day = np.floor(last[alive] + np.maximum(random.exponential(1.0 / rate[alive]), 1.0))
        seen = next_day < DAYS
        alive, next_day = alive[seen], next_day[seen]
        x[alive] += 1
        last[alive] = next_day
        alive = alive[random.random(len(alive)) > dropout[alive]]
        if not len(alive):
            break
    spend = np.where(x > 0, mean * random.gamma(6.0 * np.maximum(x, 1)) / (6.0 * np.maximum(x, 1)), 0.0)
    money = spend * x + mean * random.gamma(6.0, 1 / 6.0, customers)
    return Base(x, FIRST_DAY + begin, last - begin, DAYS - begin.astype(np.float64), spend, money)
