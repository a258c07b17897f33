"""Leaving by choice and by fate, apart: who leaves at all, and of those who do, whom fate takes.

Few are taken by fate, so that the second question is asked of leavers alone; the two probabilities add up to the first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.maturing import Fold
from services.scoring.domain.supervised.classifier import Classifier, fit_encoded
from services.scoring.domain.supervised.features import Encoder, Row

STAYED, VOLUNTARY, INVOLUNTARY = -1, 0, 1


@dataclass(frozen=True)
class Causes:
    """`fate`: of leavers; where features say nothing about it, `fate_share` holds for all."""

    leaving: Classifier
    fate: Classifier | None
    fate_share: float

    def probabilities(self, rows: Sequence[Row]) -> tuple[Floats, Floats]:
        """(rows,) each: leaving by choice, and by fate."""
        return self.probabilities_of(self.leaving.encoder.matrix(rows))

    def probabilities_of(self, matrix: Floats) -> tuple[Floats, Floats]:
        """Of rows that are encoded already."""
        leaving = self.leaving.probability_of(matrix)
        share = self.fate.probability_of(matrix) if self.fate else np.full(len(matrix), self.fate_share)
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
    encoder = Encoder.of(rows)
    return fit_causes_encoded(encoder, encoder.matrix(rows), way, seed, threads=threads)


def fit_causes_encoded(
    encoder: Encoder,
    matrix: Floats,
    way: npt.NDArray[np.int64],
    seed: int,
    folds: Sequence[Fold] = (),
    threads: int = 1,
) -> Causes | Doubt:
    """The same from a matrix, (rows, columns) as the encoder makes it. `folds` are for who leaves; leavers are too few to be
    divided by time as well.
    """
    leaving = fit_encoded(encoder, matrix, (way != STAYED).astype(float), seed, folds, threads)
    if isinstance(leaving, Doubt):
        return leaving
    left = np.flatnonzero(way != STAYED)
    by_fate = (way[left] == INVOLUNTARY).astype(float)
    fate = fit_encoded(encoder, matrix[left], by_fate, seed, threads=threads)
    share = float((by_fate.sum() + 0.5) / (len(left) + 1.0))
    return Causes(leaving, None if isinstance(fate, Doubt) else fate, share)
