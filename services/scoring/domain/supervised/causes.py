"""Leaving by choice and by fate, apart: who leaves at all, and of those who do, whom fate takes.

Few are taken by fate, so that the second question is asked of leavers alone; the two probabilities add up to the first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.supervised.classifier import Classifier, fit
from services.scoring.domain.supervised.features import Row

STAYED, VOLUNTARY, INVOLUNTARY = -1, 0, 1


@dataclass(frozen=True)
class Causes:
    """`fate`: of leavers; where features say nothing about it, `fate_share` holds for all."""

    leaving: Classifier
    fate: Classifier | None
    fate_share: float

    def probabilities(self, rows: Sequence[Row]) -> tuple[Floats, Floats]:
        """(rows,) each: leaving by choice, and by fate."""
        leaving = self.leaving.probability(rows)
        share = self.fate.probability(rows) if self.fate else np.full(len(rows), self.fate_share)
        return leaving * (1.0 - share), leaving * share

    def to_text(self) -> str:
        fate = self.fate.to_text() if self.fate else None
        return json.dumps({"leaving": self.leaving.to_text(), "fate": fate, "fate_share": self.fate_share})

    @classmethod
    def from_text(cls, text: str) -> "Causes":
        data = json.loads(text)
        fate = Classifier.from_text(data["fate"]) if data["fate"] else None
        return cls(Classifier.from_text(data["leaving"]), fate, float(data["fate_share"]))


def fit_causes(rows: Sequence[Row], way: npt.NDArray[np.int64], seed: int, threads: int = 1) -> Causes | Doubt:
    """From rows and how each ended: STAYED, VOLUNTARY or INVOLUNTARY."""
    leaving = fit(rows, (way != STAYED).astype(float), seed, threads=threads)
    if isinstance(leaving, Doubt):
        return leaving
    left = np.flatnonzero(way != STAYED)
    by_fate = (way[left] == INVOLUNTARY).astype(float)
    fate = fit([rows[i] for i in left.tolist()], by_fate, seed, threads=threads)
    share = float((by_fate.sum() + 0.5) / (len(left) + 1.0))
    return Causes(leaving, None if isinstance(fate, Doubt) else fate, share)
