"""Who carries the profit: classes A, B and C by Pareto's rule, loss makers, and customers we have neglected.

| class | rule |
|---|---|
| A | the best customers, who together earn the first 80 % |
| B | those who earn the next 15 % |
| C | the rest of those who cost us nothing on balance |
| L | loss makers: what they brought was less than what they cost |

Percent are of what profitable customers earn, not of the base's profit: losses reduce the latter, and where they eat it up
no customer could carry 80 % of it. Customers with the same profit are in the same class, the better one.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from services.scoring.domain.bands import Codes, Flags, Ladder
from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Cells, Ints
from services.scoring.domain.money_cells import cells_of, least_of

ParetoClass = Literal["L", "C", "B", "A"]
CLASSES: tuple[ParetoClass, ...] = get_args(ParetoClass)
"""From the lowest to the highest: codes are positions here."""
A_SHARE, B_SHARE = 0.80, 0.95
RELATIVE = 0.05
"""By how much of it a cut must be passed before a customer counts as having changed class."""
THOUSANDS = 10**9
"""Sums are kept in thousands and what is left, as millionths: one 64-bit sum would overflow in rupiah or dong."""


@dataclass(frozen=True)
class ProfitBase:
    """Customers and their profit by cells of profit, a hundredth wide; exact sums, negative ones too."""

    cells: Cells = field(default_factory=lambda: Cells.empty(3))

    def plus(self, signs: Ints, micros: Ints) -> "ProfitBase":
        """Add (+1) customers with such profits, or take them away (-1): two changes for each event.

        Sums are the same in any order and in any batches.
        """
        thousands, rest = np.divmod(micros, THOUSANDS)
        sums = np.stack([signs, signs * thousands, signs * rest], axis=1)
        return ProfitBase(self.cells.plus(cells_of(micros), sums))

    @property
    def customers(self) -> int:
        return int(self.cells.sums[:, 0].sum())

    @property
    def micros(self) -> int:
        """The base's profit in millionths, exact."""
        _, thousands, rest = self.cells.sums.sum(axis=0).tolist()
        return int(thousands) * THOUSANDS + int(rest)

    def cuts(self) -> "Cuts":
        """The least profits of A and B, at most 1 % below the exact ones and never above."""
        profitable = self.cells.keys > 0
        keys, money = self.cells.keys[profitable][::-1], _money(self.cells)[profitable][::-1]
        if not len(keys):
            return Cuts(0, 0)
        earned = np.cumsum(money)
        # Rounding must not push a share that is reached exactly into the next cell.
        a, b = np.searchsorted(earned, np.array([A_SHARE, B_SHARE]) * earned[-1] * (1 - 1e-12))
        return Cuts(least_of(int(keys[a])), least_of(int(keys[b])))

    def whale_curve(self) -> "WhaleCurve":
        """To the cell: within one the customers count as alike."""
        return _curve(self.cells.sums[::-1, 0].astype(np.float64), _money(self.cells)[::-1])

    def least(self) -> Ints:
        """The smallest profit of each cell, in millionths."""
        return np.array([least_of(key) for key in self.cells.keys.tolist()], np.int64)

    def pack(self) -> dict[str, bytes]:
        return self.cells.pack()

    @classmethod
    def unpack(cls, packed: dict[str, bytes]) -> "ProfitBase":
        return cls(Cells.unpack(packed, 3))


@dataclass(frozen=True)
class Cuts:
    """The least profit, in millionths, of a customer in A and in B."""

    a: int
    b: int

    def classes(self, micros: Ints, told: Codes | None = None) -> Codes:
        """Positions in CLASSES; with what was told last (-1: nothing), only clear changes."""
        ladder = Ladder((0.0, float(max(self.b, 1)), float(max(self.a, 1))), relative=RELATIVE)
        profits = micros.astype(np.float64)
        return ladder.codes(profits) if told is None else ladder.settled(told, profits)


@dataclass(frozen=True)
class WhaleCurve:
    """What the best customers earn together (Kaplan, Narayanan 2001), from none of them to all.

    `customers`: shares of the base, best first; `money`: their profit together, in units of money. Both begin at 0. Where
    loss makers exist the curve rises above the base's profit, and they bring it down again.
    """

    customers: Floats
    money: Floats

    @property
    def percent(self) -> Floats | None:
        """Of the base's profit; None where the base as a whole earns nothing that one could have a part of."""
        total = self.money[-1]
        return 100.0 * self.money / total if total > 0 else None

    @property
    def peak(self) -> tuple[float, float]:
        """The share of customers that would earn most if the others were not there, and what they earn."""
        top = int(np.argmax(self.money))
        return float(self.customers[top]), float(self.money[top])


def whale_curve(profits: Floats) -> WhaleCurve:
    """Customer by customer, from profits in units of money: exact, and sorted, so for reports and not for the stream."""
    return _curve(np.ones_like(profits), np.sort(profits)[::-1])


def _curve(customers: Floats, money: Floats) -> WhaleCurve:
    ranked, earned = np.append(0.0, np.cumsum(customers)), np.append(0.0, np.cumsum(money))
    return WhaleCurve(ranked / max(ranked[-1], 1.0), earned)


def _money(cells: Cells) -> Floats:
    money: Floats = cells.sums[:, 1] * (THOUSANDS / 1e6) + cells.sums[:, 2] / 1e6
    return money


@dataclass(frozen=True)
class Attention:
    """What good customers may expect of us. Conventions, to be set by each company."""

    loyal_days: float = 730.0
    """Who has bought for so long is loyal whatever they earn us."""
    silent_days: float = 180.0
    """Longer without a word from us is neglect."""
    contacts_a_year: float = 2.0
    """Fewer are neglect too."""
    here: float = 0.5
    """P(alive) below which there is nobody left to neglect."""


@dataclass(frozen=True)
class Care:
    """Customers and what we did for them, arrays of the same length.

    `classes`: positions in CLASSES; `tenure`: days from first to last purchase; `contacts`: by us, in the last year;
    `since_contact`: days since the last, infinite if there was none.
    """

    classes: Codes
    tenure: Floats
    p_alive: Floats
    contacts: Floats
    since_contact: Floats


def neglected(care: Care, due: Attention) -> Flags:
    """Who is worth our attention, is still there, and hears little or nothing of us. Loss makers are none of them."""
    loyal = (care.tenure >= due.loyal_days) & (care.classes > CLASSES.index("L"))
    worth = loyal | (care.classes == CLASSES.index("A"))
    silent = (care.since_contact > due.silent_days) | (care.contacts < due.contacts_a_year)
    flags: npt.NDArray[np.bool_] = worth & (care.p_alive >= due.here) & silent
    return flags
