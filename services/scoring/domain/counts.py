"""From the distribution of each customer's purchases to come to a forecast in whole purchases. Knows no particular model."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc

from services.scoring.domain.fitting import Floats

Places = npt.NDArray[np.intp]
AtLeast = Callable[[float, Places], Floats]
"""P(at least n purchases) of the customers at these places."""

ONE_BY_ONE = 128
"""So many coming purchases are counted one by one, later ones in blocks of a 64th of their number, at the middle."""
LEAST = 1.0 / 64.0
"""Purchases less probable than this are in no forecast."""
STEPS = 1 << 16
"""How finely probabilities are told apart."""


def counts() -> Iterator[tuple[float, int]]:
    """Numbers of purchases with the width of the block that each stands for."""
    n = 1
    while True:
        width = 1 if n < ONE_BY_ONE else n // 64
        yield n + (width - 1) / 2, width
        n += width


def poisson(expected: Floats) -> AtLeast:
    """Of customers who buy at a known rate."""
    return lambda n, whose: gammainc(n, expected[whose])


def whole_purchases(at_least: AtLeast, customers: int, total: float) -> Floats:
    """The most probable purchases of the base, as many as `total`: how many of them are each customer's.

    A customer's first purchase to come is more probable than their second, and so on; the likeliest of all are taken
    until the total is reached. So everybody is given the same quantile of their own distribution: one minimises the
    absolute error where too many and too few are not equally bad, as the median does where they are (Gneiting 2011,
    JASA 106(494), 746-762), and this one is right in total.
    """
    number = np.zeros(STEPS + 1)
    for width, _, p in _probable(at_least, customers):
        number += width * np.bincount((p * STEPS).astype(np.intp), minlength=STEPS + 1)
    taken = np.append(0.0, np.cumsum(number[::-1]))
    lowest = max((STEPS + 1 - int(np.abs(taken - total).argmin())) / STEPS, LEAST)
    whole = np.zeros(customers)
    for width, whose, p in _probable(at_least, customers):
        whole[whose] += width * (p >= lowest)
    return whole


def _probable(at_least: AtLeast, customers: int) -> Iterator[tuple[int, Places, Floats]]:
    open_ = np.arange(customers)
    for n, width in counts():
        p = np.clip(at_least(n, open_), 0.0, 1.0)
        yield width, open_, p
        open_ = open_[p >= LEAST]
        if not len(open_):
            return


def distinct(x: Floats) -> tuple[Floats, Places]:
    """Numbers of purchases among which all of x are, and where each of x is in them; not sorted for where they are many."""
    most = float(x.max(initial=0.0))
    if most < len(x) and np.array_equal(places := x.astype(np.intp), x):
        return np.arange(most + 1.0), places
    xs, where = np.unique(x, return_inverse=True)
    return xs, where
