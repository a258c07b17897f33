"""Next best offers for many customers at once: own purchases, what goes together with them, and what is popular.

score(c, i) = v_ci a_i^again + together sum_j v_cj G_ij / (G_jj + ridge) + popular s_i, with v the customer's decayed purchases, G
what goes together, s shares in all purchases, a the rate of being bought again over the usual one (`shelf.Knowledge`), and
the weights of `Mix` chosen on baskets held out (`learning`). Left unscored is only what is less popular than enough others.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.habits import Memory
from services.scoring.domain.wishes.profiles import Profiles
from services.scoring.domain.wishes.shelf import Shelf

Mask = npt.NDArray[np.bool_]
AT_ONCE = 512
"""Customers in one step, so that their candidates fit the cache."""
CANDIDATES = 500_000
"""In one step where all that is popular is a candidate for everybody."""
BARRED = -1e12
TIMES_FOR_RHYTHM = 3


class Offers(NamedTuple):
    """(customers, number): products with their scores, the best first; -1 and -inf where there were no more."""

    items: Ints
    scores: Floats


def not_due(profiles: Profiles, day: int, due: float) -> Mask:
    """Of each entry, whether less than this part of its usual interval has passed since it was bought last."""
    usual = (profiles.last - profiles.first) / np.maximum(profiles.times - 1, 1)
    early: Mask = (profiles.times >= TIMES_FOR_RHYTHM) & (day - profiles.last < due * usual)
    return early


def offers(
    shelf: Shelf, profiles: Profiles, day: int, memory: Memory, number: int, excluded: Mask | None = None
) -> Offers:
    """So many offers for each customer on a day. `excluded`: (customers, categories), what they do not want to hear of."""
    found = Offers(np.full((len(profiles), number), -1), np.full((len(profiles), number), -np.inf))
    if not len(shelf.catalogue.items):
        return found
    early = not_due(profiles, day, shelf.mix.due)
    tastes = _tastes(shelf, profiles, profiles.weight_on(day, memory), early)
    few = _few_left(shelf, profiles, early, excluded) < number
    sizes = np.diff(profiles.starts)
    portion = min(AT_ONCE, max(CANDIDATES // len(shelf.popular), 1))
    for spread, customers, at_once in (
        (shelf.narrow, np.flatnonzero(~few), AT_ONCE),
        (shelf.wide, np.flatnonzero(few), portion),
    ):
        for some in _alike(customers, sizes, at_once):
            scores = tastes[some] @ spread.matrix
            scores.data += spread.rest[scores.indices]
            if excluded is not None:
                _leave_out(scores, excluded[some], shelf.catalogue.category)
            _note_best(scores, some, found)
    real = found.items >= 0
    found.items[real] = shelf.catalogue.items[found.items[real]]
    return found


def _tastes(shelf: Shelf, profiles: Profiles, weight: Floats, early: Mask) -> Any:
    """(customers, 2 products + 1), as `Spread` reads it: each entry for its neighbours and for itself, and a 1."""
    products = len(shelf.catalogue.items)
    places, known = shelf.catalogue.places(profiles.item)
    # What the catalogue does not know says nothing, wherever it is written.
    own, mine = np.where(known, weight, 0.0), np.where(known & early, BARRED, np.where(known, weight, 0.0))
    ends = 2 * profiles.starts[1:]
    columns = np.insert(np.stack([places, places + products], axis=1).ravel(), ends, 2 * products)
    values = np.insert(np.stack([own, mine], axis=1).ravel(), ends, 1.0)
    starts = 2 * profiles.starts + np.arange(len(profiles) + 1)
    return sparse.csr_matrix((values, columns, starts), shape=(len(profiles), 2 * products + 1))


def _few_left(shelf: Shelf, profiles: Profiles, early: Mask, excluded: Mask | None) -> Ints:
    """At least so many popular products are left for each customer when what is early or excluded is taken out."""
    left = len(shelf.head) - np.bincount(profiles.owner[early], minlength=len(profiles))
    if excluded is not None:
        of_category = np.bincount(shelf.catalogue.category[shelf.head], minlength=excluded.shape[1])
        left = left - excluded @ of_category
    return left


def _alike(customers: Ints, sizes: Ints, at_once: int) -> Iterator[Ints]:
    """Portions of customers with about as many candidates, so that little is padded."""
    ordered = customers[np.argsort(sizes[customers], kind="stable")]
    return (ordered[begin : begin + at_once] for begin in range(0, len(ordered), at_once))


def _leave_out(scores: Any, excluded: Mask, category: Ints) -> None:
    customer = np.repeat(np.arange(scores.shape[0]), np.diff(scores.indptr))
    scores.data[excluded[customer, category[scores.indices]]] = -np.inf


def _note_best(scores: Any, some: Ints, found: Offers) -> None:
    """Into the rows of these customers the best of their candidates."""
    if not len(scores.data):
        return
    counts = np.diff(scores.indptr)
    number = found.items.shape[1]
    width = max(int(counts.max()), number)
    padded = np.full((len(some), width), -np.inf)
    padded[np.arange(width) < counts[:, None]] = scores.data
    best = np.argpartition(-padded, number - 1, axis=1)[:, :number]
    values = np.take_along_axis(padded, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best, values = np.take_along_axis(best, order, axis=1), np.take_along_axis(values, order, axis=1)
    there = values > BARRED / 2
    places = scores.indices[np.minimum(scores.indptr[:-1, None] + best, len(scores.indices) - 1)]
    found.items[some] = np.where(there, places, -1)
    found.scores[some] = np.where(there, values, -np.inf)
