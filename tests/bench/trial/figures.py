"""The statistics of a trial: percentiles, slopes, and when each event's effect was there. Pure."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import NamedTuple

Moments = Sequence[tuple[float, int]]
"""When a customer's count reached which value, in order of time."""
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not below so large a share of all (nearest rank)."""
    return ordered[max(0, ceil(len(ordered) * share - 1e-9) - 1)]


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """Empty where there is nothing."""
    ordered = sorted(values)
    return {name: percentile(ordered, share) for name, share in PERCENTILES.items()} if ordered else {}


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How much y grows per x: the median of the slopes between any two points (Theil and Sen). 0 where that cannot be said.

    Not least squares: a single stall of half a second near an end would be taken for growth that never stops.
    """
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.combinations(points, 2) if x2 != x1]
    return statistics.median(slopes) if slopes else 0.0


class Due(NamedTuple):
    """An event whose effect is waited for: whose it is, and the customer's how many-th of its kind."""

    at: float
    """The intended time of sending."""
    customer: int
    nth: int


def waits(events: Iterable[Due], moments: Mapping[int, Moments]) -> tuple[list[float], int]:
    """Seconds from each event's intended time until its customer's count had got so far; and how many never did.

    Events come in the order of their sending, and each customer's moments in the order of time. A count that jumps is
    one state for several events, each of which has its effect in it.
    """
    found: list[float] = []
    places: dict[int, int] = {}
    missing = 0
    for event in events:
        seen = moments.get(event.customer, ())
        place = places.get(event.customer, 0)
        while place < len(seen) and seen[place][1] < event.nth:
            place += 1
        places[event.customer] = place
        if place < len(seen):
            found.append(seen[place][0] - event.at)
        else:
            missing += 1
    return found, missing
