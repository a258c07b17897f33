"""Figures of a sample: percentiles and ratios. Nothing is measured here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def percentile(sample: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the sample does not exceed (nearest rank)."""
    ordered: Sequence[float] = sorted(sample)
    if not ordered:
        raise ValueError("an empty sample has no percentiles")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
