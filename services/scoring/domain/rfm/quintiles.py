"""Quintiles of a base: the share of it that a customer stands above, and the codes 1 to 5 that follow.

Customers who are alike share a rank, the middle of the places they take together (midranks, as in ridit analysis:
Bross 1958, Biometrics 14). Where 90 % bought twelve times they are the middle, 3; cutting at quantiles would call them
all 1 or all 5. One rule goes before: who bought on one day only has not come back, and that is 1 in every base.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.bands import Codes, Ladder
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Cells, Ints
from services.scoring.domain.rfm.base import Base

LADDER = Ladder((0.2, 0.4, 0.6, 0.8), slack=0.02)
"""Codes 0 to 4 of ranks. Two hundredths of the base must be passed beyond an edge before a quintile counts as left."""
BOUGHT_ONCE = 1
"""The cell of customers with one purchase day."""


class Ranks(NamedTuple):
    """Shares of the base that stand below each customer, between 0 and 1; arrays of the same length."""

    recency: Floats
    frequency: Floats
    money: Floats


@dataclass(frozen=True)
class Quintiles:
    """A base as it was at some moment."""

    base: Base

    def ranks(self, cells: Ints) -> Ranks:
        """Of customers given by their cells, (customers, 3); they need not be in the base."""
        last_day, bought, money = cells.T
        frequency = np.where(bought == BOUGHT_ONCE, 0.0, midranks(self.base.frequency, bought))
        return Ranks(midranks(self.base.recency, last_day), frequency, midranks(self.base.money, money))

    def codes(self, cells: Ints, told: Codes | None = None) -> Codes:
        """(customers, 3): 1 to 5 for recency, frequency and money, 5 being the best.

        With `told`, the codes last told (0: none), a customer keeps a code until its quintile has clearly been left.
        """
        ranks = np.column_stack(self.ranks(cells))
        before = np.full(ranks.shape, -1, np.int8) if told is None else told - 1
        codes: Codes = (LADDER.settled(before, ranks) + 1).astype(np.int8)
        return codes


def midranks(counts: Cells, keys: Ints) -> Floats:
    """The share of customers in lower cells, and half of those in the same; one half in an empty base."""
    total = int(counts.sums.sum())
    if not total:
        return np.full(len(keys), 0.5)
    until: npt.NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts.sums[:, 0])])
    below, through = (until[np.searchsorted(counts.keys, keys, side=side)] for side in ("left", "right"))
    ranks: Floats = (below + through) / (2 * total)
    return ranks
