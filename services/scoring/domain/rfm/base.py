"""The base counted by last day, by purchase days and by money: what quintiles are read from, without a scan.

A purchase moves its customer within all three counts, so what is counted must also be taken away again. Quantile
sketches such as KLL only take in: fed with every purchase, they would describe purchases and not customers. Cells of
counts take both, in any order and with the same outcome, and grow with days and magnitudes instead of customers: the
last day is kept to the day, purchase days exactly up to ten and to a tenth beyond, money to a hundredth.

All three are of the customer's whole time with us. The last day is a date and not an age, so that it never ages: who
has been silent for longer than whom does not change by waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from services.scoring.domain.histogram import X_EDGES, Cells, Ints, Rows
from services.scoring.domain.money_cells import cells_of
from services.scoring.domain.purchases import Purchases


def cells(customers: Iterable[Purchases]) -> Ints:
    """(customers, 3): the cells of customers with at least one purchase each."""
    rows = [(one.days[-1].day, one.frequency, one.micros) for one in customers]
    last_day, x, micros = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return np.stack([last_day, np.searchsorted(X_EDGES, x, side="right"), cells_of(micros)], axis=1)


def moves(changes: Iterable[tuple[Purchases, Purchases]]) -> Rows:
    """(changes, 4): customers before and after, as +1 or -1 and the three cells to add to or take from."""
    signed = [
        (sign, purchases)
        for change in changes
        for sign, purchases in zip((-1, 1), change, strict=True)
        if purchases.days
    ]
    signs = np.array([sign for sign, _ in signed], dtype=np.int64)
    rows: Rows = np.column_stack([signs, cells(purchases for _, purchases in signed)]).astype(np.int32)
    return rows


@dataclass(frozen=True)
class Base:
    """Customers by cell."""

    recency: Cells = field(default_factory=lambda: Cells.empty(1))
    frequency: Cells = field(default_factory=lambda: Cells.empty(1))
    money: Cells = field(default_factory=lambda: Cells.empty(1))

    def plus(self, rows: Rows) -> "Base":
        """After such moves. Moves add up to the same base in any order and in any batches."""
        sign, *keys = rows.astype(np.int64).T
        counts = (self.recency, self.frequency, self.money)
        return Base(*(each.plus(key, sign[:, None]) for each, key in zip(counts, keys, strict=True)))

    @property
    def customers(self) -> int:
        return int(self.recency.sums.sum())

    def pack(self) -> dict[str, dict[str, bytes]]:
        return {"recency": self.recency.pack(), "frequency": self.frequency.pack(), "money": self.money.pack()}

    @classmethod
    def unpack(cls, packed: dict[str, dict[str, bytes]]) -> "Base":
        return cls(*(Cells.unpack(packed[name], 1) for name in ("recency", "frequency", "money")))
