"""Recency, frequency and money: where a customer stands in the whole base, and the names marketers have for it."""

from services.scoring.domain.rfm.base import Base, cells, moves
from services.scoring.domain.rfm.quintiles import LADDER, Quintiles, Ranks, midranks
from services.scoring.domain.rfm.segments import RULES, SEGMENTS, Segment, named

__all__ = [
    "LADDER",
    "RULES",
    "SEGMENTS",
    "Base",
    "Quintiles",
    "Ranks",
    "Segment",
    "cells",
    "midranks",
    "moves",
    "named",
]
