"""When customers will cross a threshold if they do nothing: what is put into the wheel.

Scores are of a calendar day, so a threshold is crossed with the first day whose age is above the crossing age. Where a
threshold has no closed form, the first day of news is found by halving: without events all scores only fall or only rise.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

from services.scoring.domain.bands import Flags
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints

NEVER = 2**62
"""The hour of customers who cross nothing in a hundred years. They have no place in the wheel."""
FAR_DAYS = 36_525.0
HALVINGS = 11
"""News of more than 2^11 days ahead, five years and a half, is not looked for: parameters will not last so long."""


class Waning(Protocol):
    """A model whose P(alive) falls with age, in closed form."""

    def crossing_age(self, x: Floats, t_x: Floats, p: float) -> Floats: ...


def next_hours(
    model: Waning, x: Floats, first_day: Floats, last_day: Floats, today: int, thresholds: Iterable[float]
) -> Ints:
    """The hour (since 1970, UTC) at which each customer's P(alive) first lies below the next of the thresholds.

    Days are counted from 1970. Thresholds passed before the end of `today` are left out; NEVER where none is left.
    """
    soonest = np.full(len(x), FAR_DAYS + today)
    for p in thresholds:
        # A model in which hardly anybody leaves crosses after more days than a float can count.
        with np.errstate(over="ignore", divide="ignore"):
            age = model.crossing_age(x, last_day - first_day, p)
        day = np.floor(np.minimum(age, 1e9)) + 1.0 + first_day
        soonest = np.where(day > today, np.minimum(soonest, day), soonest)
    hours: Ints = np.where(soonest < FAR_DAYS + today, soonest * 24.0, float(NEVER)).astype(np.int64)
    return hours


def first_hours(news: Callable[[Floats], Flags], customers: int, today: int) -> Ints:
    """The hour at which each customer first has news if nothing happens until then; NEVER where that is too far ahead.

    `news`: whose scores are news on such days (one a customer, since 1970); who has news one day has it on all later ones.
    Twelve evaluations, for any number of customers.
    """
    before, first = np.full(customers, float(today)), np.full(customers, float(today + 2**HALVINGS))
    ever = news(first)
    for _ in range(HALVINGS):
        middle = np.floor((before + first) / 2)
        already = news(middle)
        before, first = np.where(already, before, middle), np.where(already, middle, first)
    hours: Ints = np.where(ever, first * 24.0, float(NEVER)).astype(np.int64)
    return hours
