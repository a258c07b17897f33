"""The customer base as counts, from which the models are refitted at a cost that does not depend on its size.

A customer is a row of five whole numbers that time does not change; a purchase takes one row away and adds another.
Rows are sorted into cells, and each cell keeps exact sums, so that a fit sees centroids and not the middles of bins.
Whole numbers add up to the same sums in any order.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import Spends
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.domain.purchases import Purchases

Ints = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
"""(number of changes, 6): +1 or -1, then the traits."""
COHORT_DAYS = 28
LOG_STEP = 20_000
"""A bin of ln money: 2 %, in millionths."""
NONE = -(2**31)
"""The trait of a customer without repeat spend or without money."""


def _steps(first: int, until: int) -> Ints:
    """Whole numbers that grow by a tenth: edges of bins that every machine computes alike."""
    edges = [first]
    while edges[-1] < until:
        edges.append(max(edges[-1] + 1, edges[-1] * 11 // 10))
    return np.array(edges, dtype=np.int64)


X_EDGES = np.concatenate([np.arange(11), _steps(11, 10**6)])
RECENCY_EDGES = np.concatenate([np.arange(1), _steps(1, 10**6)])


class Traits(NamedTuple):
    """x, first day, t_x in days; logarithms of mean repeat spend and of all money, in millionths."""

    x: int
    first_day: int
    recency: int
    log_spend: int
    log_money: int


def traits_of(purchases: Purchases) -> Traits:
    return Traits(
        purchases.frequency,
        purchases.first_day,
        purchases.recency,
        _log(purchases.repeat_spend),
        _log(purchases.micros / 1e6),
    )


def moves(changes: Iterable[tuple[Purchases, Purchases]]) -> Rows:
    """Customers before and after: what has to be taken from the histogram and what added.

    Whoever has no purchase day (any more) is not in it.
    """
    rows: list[tuple[int, ...]] = []
    for before, after in changes:
        if before.days:
            rows.append((-1, *traits_of(before)))
        if after.days:
            rows.append((1, *traits_of(after)))
    return np.array(rows, dtype=np.int32).reshape(-1, 6)


@dataclass(frozen=True)
class Cells:
    """Sums by cell, of which the first is the number of those who are in it; a cell without any sum does not exist."""

    keys: Ints
    sums: Ints

    @classmethod
    def empty(cls, columns: int) -> "Cells":
        return cls(np.empty(0, np.int64), np.empty((0, columns), np.int64))

    def plus(self, keys: Ints, sums: Ints) -> "Cells":
        every, where = np.unique(np.concatenate([self.keys, keys]), return_inverse=True)
        totals = np.zeros((len(every), self.sums.shape[1]), np.int64)
        np.add.at(totals, where, np.concatenate([self.sums, sums]))
        # A cell may hold sums of nobody for a while: taken away before they are added, in another batch.
        held = totals.any(axis=1)
        return Cells(every[held], totals[held])

    @property
    def inhabited(self) -> "Cells":
        """Those that somebody is in."""
        some = self.sums[:, 0] > 0
        return Cells(self.keys[some], self.sums[some])

    def mean(self, column: int) -> Floats:
        centroid: Floats = self.sums[:, column] / self.sums[:, 0]
        return centroid

    def pack(self) -> dict[str, bytes]:
        return {"keys": self.keys.astype("<i8").tobytes(), "sums": self.sums.astype("<i8").tobytes()}

    @classmethod
    def unpack(cls, packed: dict[str, bytes], columns: int) -> "Cells":
        sums = np.frombuffer(packed["sums"], "<i8").astype(np.int64).reshape(-1, columns)
        return cls(np.frombuffer(packed["keys"], "<i8").astype(np.int64), sums)


def visit_keys(x: Ints, first_day: Ints, recency: Ints) -> Ints:
    """The cell of each customer by cohort, x and t_x."""
    x_bin = np.searchsorted(X_EDGES, x, side="right")
    recency_bin = np.searchsorted(RECENCY_EDGES, recency, side="right")
    keys: Ints = (first_day // COHORT_DAYS << 32) + (x_bin << 16) + recency_bin
    return keys


@dataclass(frozen=True)
class Histogram:
    """Three tables: visits by (cohort, x, t_x), spends by (x, ln z), and money by its logarithm."""

    visits: Cells = field(default_factory=lambda: Cells.empty(4))
    spends: Cells = field(default_factory=lambda: Cells.empty(3))
    money: Cells = field(default_factory=lambda: Cells.empty(1))

    def plus(self, rows: Rows) -> "Histogram":
        if not len(rows):
            return self
        sign, x, first_day, recency, log_spend, log_money = rows.astype(np.int64).T
        x_bin = np.searchsorted(X_EDGES, x, side="right")
        keys = visit_keys(x, first_day, recency)
        visits = self.visits.plus(keys, np.stack([sign, sign * x, sign * first_day, sign * recency], axis=1))
        spends = self.spends.plus(
            ((x_bin << 32) + log_spend // LOG_STEP)[log_spend > NONE],
            np.stack([sign, sign * x, sign * log_spend], axis=1)[log_spend > NONE],
        )
        return Histogram(visits, spends, self.money.plus(log_money // LOG_STEP, sign[:, None]))

    @property
    def customers(self) -> int:
        return int(self.visits.sums[:, 0].sum())

    @property
    def cells(self) -> int:
        return len(self.visits.keys) + len(self.spends.keys) + len(self.money.keys)

    def visits_at(self, day: int) -> Visits:
        """The base on a day, for the fit of purchasing."""
        cells = self.visits.inhabited
        t_x = cells.mean(3)
        age = np.maximum(day - cells.mean(2), t_x)
        return Visits(cells.mean(1), t_x, age, cells.sums[:, 0].astype(np.float64))

    def repeat_spends(self) -> Spends:
        """The base for the fit of spending."""
        cells = self.spends.inhabited
        return Spends(cells.mean(1), np.exp(cells.mean(2) / 1e6), cells.sums[:, 0].astype(np.float64))

    def money_quantile(self, share: float) -> float:
        """The money that this share of customers stays below, to 2 %."""
        cells = self.money.inhabited
        counts = np.cumsum(cells.sums[:, 0])
        if not len(counts):
            return 0.0
        cell = int(np.searchsorted(counts, share * counts[-1], side="right").clip(max=len(counts) - 1))
        return math.exp(float(cells.keys[cell]) * LOG_STEP / 1e6)

    def pack(self) -> dict[str, dict[str, bytes]]:
        return {"visits": self.visits.pack(), "spends": self.spends.pack(), "money": self.money.pack()}

    @classmethod
    def unpack(cls, packed: dict[str, dict[str, bytes]]) -> "Histogram":
        visits, spends = Cells.unpack(packed["visits"], 4), Cells.unpack(packed["spends"], 3)
        return cls(visits, spends, Cells.unpack(packed["money"], 1))


def _log(money: float) -> int:
    return round(math.log(money) * 1e6) if money > 0 else NONE
