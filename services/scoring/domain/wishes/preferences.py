"""What a customer prefers: categories, a channel, an hour of the week. None where there is too little to say so.

All are read from habits (decayed counts), whose items are here categories, channels, or hours of the week counted from
Monday midnight in the customer's own time. What counts is the customer's own doing: purchases, calls, answers; not our mails.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import betaincc

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.habits import Habits, Memory

WEEK_HOURS = 168
SURE = 0.9
"""How probable it must be that the preferred channel is used more than the second: three contacts to none suffice."""
SAME_HOUR = 1.5
"""Standard deviation in hours of the time of day at which one habit recurs."""
SAME_DAY = 0.5
"""The part of a contact's evidence that is for its own day of the week; the rest is for its hour on any day."""
PRIOR_CONTACTS = 1.0
"""Contacts at no particular hour that everybody starts with."""
ENOUGH = 2.5
"""Contacts, decayed, below which nothing is said about hours: three recent ones."""
GAIN = 3.0
"""Nats by which the estimate must foretell each contact from the others better than 'any hour' does: odds of 20 to 1."""


class Hour(NamedTuple):
    """An hour of the week, Monday 0, and the share of contacts expected within it."""

    weekday: int
    hour: int
    share: float


def interests(categories: Habits, number: int, memory: Memory) -> list[tuple[int, float]]:
    """The categories bought most and latest, with their shares of all weight (what was dropped included)."""
    day = categories.day
    total = categories.weight_on(day, memory)
    first = categories.heaviest(number, memory)
    return [(habit.item, habit.weight_on(day, memory) / total) for habit in first]


def preferred_channel(channels: Habits, day: int, memory: Memory) -> int | None:
    """The channel used most, if on that day this is more than chance between the two first (Beta-binomial, uniform prior)."""
    ranked = channels.heaviest(2, memory)
    if not ranked:
        return None
    first, *others = (habit.weight_on(day, memory) for habit in ranked)
    # What was dropped may all have been one channel.
    second = max([*others, channels.lost_on(day, memory)])
    ahead = float(betaincc(first + 1.0, second + 1.0, 0.5))
    return ranked[0].item if ahead >= SURE else None


def preferred_hour(hours: Habits, day: int, memory: Memory) -> Hour | None:
    """The hour of the week with the highest expected share of contacts, if on that day hours are known to matter at all."""
    counts = np.zeros(WEEK_HOURS)
    for habit in hours.kept:
        counts[habit.item] = habit.weight_on(day, memory)
    if counts.sum() < ENOUGH or _gain(counts) < GAIN:
        return None
    shares = hour_shares(counts)
    best = int(np.argmax(shares))
    return Hour(*divmod(best, 24), share=float(shares[best]))


def hour_shares(counts: Floats) -> Floats:
    """Expected share of each hour: a circular kernel estimate, mixed with the flat prior. Shape (..., 168), rows sum to 1."""
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = (counts @ KERNEL + PRIOR_CONTACTS / WEEK_HOURS) / (total + PRIOR_CONTACTS)
    return shares


def _gain(counts: Floats) -> float:
    """Log-likelihood of each contact given the others, above that of the flat week: leave-one-out, so no fit of noise.

    A decayed contact counts, and is left out, with its weight.
    """
    seen = counts > 0
    out = np.minimum(counts, 1.0)
    others = (counts @ KERNEL - out * KERNEL[0, 0] + PRIOR_CONTACTS / WEEK_HOURS) / (
        counts.sum() - out + PRIOR_CONTACTS
    )
    return float(counts[seen] @ np.log(others[seen] * WEEK_HOURS))


def _kernel() -> Floats:
    """(168, 168), rows sum to 1: von Mises on the circle of the week, mixed with von Mises on the circle of the day."""
    hours = np.arange(WEEK_HOURS)
    apart = hours[:, None] - hours
    weekly, daily = _von_mises(apart, WEEK_HOURS), _von_mises(apart, 24)
    kernel: Floats = SAME_DAY * weekly + (1.0 - SAME_DAY) * daily
    return kernel


def _von_mises(apart: Ints, period: int) -> Floats:
    angle = 2.0 * np.pi / period
    concentration = 1.0 / (SAME_HOUR * angle) ** 2
    density = np.exp(concentration * (np.cos(apart * angle) - 1.0))
    shares: Floats = density / density.sum(axis=1, keepdims=True)
    return shares


KERNEL = _kernel()
