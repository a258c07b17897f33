"""The segments marketers name by recency, frequency and money: one table, in which each of the 125 codes is once.

Recency and frequency decide; money only where it changes what one would do: a big spender who dozes is worth a call.
"""

from typing import get_args

import numpy as np

from services.scoring.domain.bands import Codes
from shared.contracts.scoring import RfmSegment

Segment = RfmSegment
SEGMENTS: tuple[Segment, ...] = get_args(Segment)
Range = tuple[int, int]

RULES: tuple[tuple[Segment, Range, Range, Range], ...] = (
    # name, recency, frequency, money; first and last code
    ("champions", (5, 5), (4, 5), (3, 5)),
    ("loyal", (5, 5), (4, 5), (1, 2)),
    ("loyal", (3, 4), (4, 5), (1, 5)),
    ("potential-loyalists", (4, 5), (2, 3), (1, 5)),
    ("new", (5, 5), (1, 1), (1, 5)),
    ("promising", (4, 4), (1, 1), (1, 5)),
    ("need-attention", (3, 3), (3, 3), (1, 5)),
    ("need-attention", (3, 3), (1, 2), (4, 5)),
    ("about-to-sleep", (3, 3), (1, 2), (1, 3)),
    ("cannot-lose-them", (1, 2), (4, 5), (4, 5)),
    ("at-risk", (1, 2), (4, 5), (1, 3)),
    ("at-risk", (1, 2), (3, 3), (1, 5)),
    ("hibernating", (2, 2), (1, 2), (1, 5)),
    ("hibernating", (1, 1), (1, 2), (4, 5)),
    ("lost", (1, 1), (1, 2), (1, 3)),
)


def _table() -> Codes:
    table = np.full((5, 5, 5), -1, np.int8)
    for name, *ranges in RULES:
        table[tuple(slice(first - 1, last) for first, last in ranges)] = SEGMENTS.index(name)
    return table


TABLE = _table()


def named(codes: Codes) -> Codes:
    """Positions in SEGMENTS of codes (customers, 3) between 1 and 5."""
    recency, frequency, money = codes.T - 1
    segments: Codes = TABLE[recency, frequency, money]
    return segments
