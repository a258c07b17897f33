"""How frequent values are among all records, learnt from a sample: what the agreement of a value weighs.

A file's table counts its own values. Where the records stay in a database, a sample says how frequent the frequent values are;
of the many that it holds once or not at all, Good and Turing say how frequent one of them is on average.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.contacts.domain.matching.blocking import number_of
from services.contacts.domain.matching.kinds import MISSING, SCALES
from services.contacts.domain.matching.table import ABSENT, Column, Compared, Ints, Table, levels

MOST_VALUES = 20_000
"""Of a field, the most frequent: half a megabyte of numbers. The sample has fewer records than this has room for."""
ASSUMED = 1e-3
"""Share of any value before a sample was looked at. Far too much for an e-mail address, so that too little is decided."""


@dataclass(frozen=True)
class Frequencies:
    """By field: `shares` of values seen twice or oftener, by the number of the value (so no name or e-mail address is kept here);
    `rare`, the share of any other; `unit`, that of a single record. Shares are of the records that have the field at all.
    """

    shares: tuple[Mapping[int, float], ...]
    rare: tuple[float, ...]
    unit: tuple[float, ...]

    def compared(self, table: Table, left: Ints, right: Ints) -> Compared:
        """As `table.compared`, with these frequencies in the place of the table's own counts; shares are told of values that agree
        at least in part.
        """
        found = levels(table, left, right)
        shares = np.empty(found.shape)
        for place, column in enumerate(table.columns):
            shares[place] = self.rare[place]
            # Of most pairs the values differ altogether, and nothing depends on how frequent they are.
            last = len(SCALES[column.field.kind].degrees) - 1
            some = np.flatnonzero((found[place] != MISSING) & (found[place] < last))
            codes = np.stack([column.codes[rows[some]] for rows in (left, right)])
            shares[place, some] = self._of_codes(place, column, codes).max(axis=0)
        return Compared(found, shares, np.array(self.unit))

    def _of_codes(self, place: int, column: Column, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
        known, rare = self.shares[place], self.rare[place]
        distinct, back = np.unique(codes, return_inverse=True)
        of_code = np.array([known.get(number_of(column.values[code]), rare) for code in distinct.tolist()])
        return of_code[back].reshape(codes.shape)


def assumed(fields: int, records: int) -> Frequencies:
    """Before any sample."""
    unit = 1.0 / max(records, 1)
    return Frequencies(({},) * fields, (max(ASSUMED, unit),) * fields, (unit,) * fields)


def learnt(table: Table, rows: Ints, records: int) -> Frequencies:
    """From these rows of a table, drawn evenly from so many records."""
    shares, rare, unit = [], [], []
    for column in table.columns:
        codes, counts = np.unique(column.codes[rows], return_counts=True)
        times = {int(c): int(n) for c, n in zip(codes, counts, strict=True) if c != ABSENT}
        present = sum(times.values())
        one = max(len(rows), 1) / max(present, 1) / max(records, 1)
        often = Counter({code: n for code, n in times.items() if n > 1}).most_common(MOST_VALUES)
        shares.append({number_of(column.values[code]): n / present for code, n in often})
        rare.append(min(max(_unseen(list(times.values())), one), 1.0))
        unit.append(min(one, 1.0))
    return Frequencies(tuple(shares), tuple(rare), tuple(unit))


def _unseen(counts: list[int]) -> float:
    """The share of a value seen once: (r + 1) N(r + 1) / N(r) / n for r = 1, with N(r) values seen r times (I. J. Good, The
    population frequencies of species, Biometrika 40, 1953). With as many unseen ones as Chao's estimate says (1984), N(1)^2 / 2 N(2),
    those that share the unseen N(1) / n have the same.
    """
    n, once, twice = sum(counts), counts.count(1), counts.count(2)
    if not n:
        return ASSUMED
    if not once:
        return 1.0 / n
    return min(2.0 * twice / once, 1.0) / n
