"""Cells of money, each a hundredth wide, in which a base is counted by amounts that may be negative.

Cell 0 holds nothing but 0, cells 1, 2, ... what is above and -1, -2, ... what is below, as in a mirror. The edges are
whole millionths, so that whoever was added by one process is found in the same cell when another takes them away.
"""

import numpy as np
import numpy.typing as npt

from services.scoring.domain.purchases import LIMIT_MICROS

Ints = npt.NDArray[np.int64]


def _edges() -> Ints:
    edges = [1]
    while edges[-1] < LIMIT_MICROS:
        edges.append(max(edges[-1] + 1, edges[-1] * 101 // 100))
    return np.array(edges, dtype=np.int64)


EDGES = _edges()
"""Cell n begins with the n-th of them. Up to 100 millionths a cell is a millionth wide: nobody is worth so little."""


def cells_of(micros: Ints) -> Ints:
    """The cells of amounts in millionths, below 10^18 as all money in the books."""
    cells: Ints = np.sign(micros) * np.searchsorted(EDGES, np.abs(micros), side="right")
    return cells


def least_of(cell: int) -> int:
    """The smallest amount in a cell, in millionths."""
    if cell < 0:
        return 1 - int(EDGES[-cell])
    return int(EDGES[cell - 1]) if cell else 0
