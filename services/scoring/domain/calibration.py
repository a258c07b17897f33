"""How well probabilities hold: a small table of whole numbers per score, from which all figures of reliability follow.

Fifty bins of equal width over what was said. Whole numbers add up to the same sums in any order, so that tables of
different times, machines or customers merge into the table of all of them.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats

BINS = 50
UNIT = 1_000_000_000
"""Probabilities, squares and nats are summed in thousand-millionths: 400 million rows at the worst fit."""
CERTAIN = 1e-9
"""A probability is taken to be this far from certainty at least, so that one surprise costs at most 20.7 nats."""
Z95 = 1.959963984540054


class Murphy(NamedTuple):
    """brier = reliability - resolution + uncertainty + within (Murphy 1973, J. Applied Meteorology 12; the part within
    bins: Stephenson, Coelho, Jolliffe 2008, Weather and Forecasting 23).
    """

    brier: float
    reliability: float
    """Mean squared distance between what was said and what came, over bins: 0 is best."""
    resolution: float
    """How far apart what came lies between bins: more is better."""
    uncertainty: float
    """Of the base rate: nothing can be done about it."""
    within: float
    """What the width of the bins hides."""


class Point(NamedTuple):
    """One bin of the reliability curve, with the 95 % interval of what came."""

    rows: int
    said: float
    came: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """`sums` (50, 5), whole: rows; probability said; rows where it came; squared error; log loss."""

    sums: npt.NDArray[np.int64]

    @classmethod
    def empty(cls) -> "Calibration":
        return cls(np.zeros((BINS, 5), np.int64))

    @classmethod
    def of(cls, probability: Floats, happened: Floats) -> "Calibration":
        """(n,) each: what was said, within 0 and 1, and 1 where it came, else 0. ValueError for anything else."""
        if not bool(np.all((probability >= 0) & (probability <= 1))):
            raise ValueError("a probability lies between 0 and 1")
        if not bool(np.all((happened == 0) | (happened == 1))):
            raise ValueError("what came is 0 or 1")
        said = np.rint(probability * UNIT).astype(np.int64)
        place = np.minimum(said * BINS // UNIT, BINS - 1)
        held = np.abs(1.0 - happened - probability).clip(CERTAIN)
        rows = np.stack(
            [
                np.ones_like(said),
                said,
                happened.astype(np.int64),
                np.rint((probability - happened) ** 2 * UNIT).astype(np.int64),
                np.rint(-np.log(held) * UNIT).astype(np.int64),
            ],
            axis=1,
        )
        sums = np.zeros((BINS, 5), np.int64)
        np.add.at(sums, place, rows)
        return cls(sums)

    def plus(self, other: "Calibration") -> "Calibration":
        return Calibration(self.sums + other.sums)

    def minus(self, other: "Calibration") -> "Calibration":
        """The table without rows that it holds: a window of time that has passed."""
        return Calibration(self.sums - other.sums)

    @property
    def rows(self) -> int:
        return int(self.sums[:, 0].sum())

    @property
    def brier(self) -> float | None:
        """Mean squared error; None without rows, as all figures."""
        return self._mean(3) if self.rows else None

    @property
    def log_loss(self) -> float | None:
        """Mean nats short of certainty."""
        return self._mean(4) if self.rows else None

    @property
    def total_log_loss(self) -> float:
        """Of all rows, in nats."""
        return float(self.sums[:, 4].sum()) / UNIT

    @property
    def came_and_said(self) -> tuple[float, float, float]:
        """Rows where it came; how many were said; and the variance of that number if what was said holds."""
        _, n, said, _ = self._grouped(BINS)
        return float(self.sums[:, 2].sum()), float(n @ said), float(n @ (said * (1.0 - said)))

    @property
    def bias(self) -> float | None:
        """Mean of what was said less the share that came: above 0, too much was said."""
        return self._mean(1) - float(self.sums[:, 2].sum()) / self.rows if self.rows else None

    def ece(self, bins: int = 10) -> float | None:
        """Expected calibration error: how far bins are off, on average over rows. `bins` divides 50; the last includes 1."""
        if not self.rows:
            return None
        _, n, said, came = self._grouped(bins)
        return float(np.abs(said - came) @ n / self.rows)

    def ece_by_chance(self, bins: int = 10) -> tuple[float, float] | None:
        """Mean and standard deviation of the error that probabilities which hold would show on so many rows.

        What comes scatters around p by s = sqrt(p (1 - p) / n) a bin: its distance is s sqrt(2 / pi) on average, with variance
        s^2 (1 - 2 / pi). More where few rows lie in many bins.
        """
        if not self.rows:
            return None
        _, n, said, _ = self._grouped(bins)
        share, spread = n / self.rows, np.sqrt(said * (1.0 - said) / n)
        mean, variance = (
            share @ spread * np.sqrt(2.0 / np.pi),
            (share * spread) @ (share * spread) * (1.0 - 2.0 / np.pi),
        )
        return float(mean), float(np.sqrt(variance))

    def murphy(self) -> Murphy | None:
        """The Brier score taken apart over the fifty bins."""
        if not self.rows:
            return None
        full, n, said, came = self._grouped(BINS)
        weight, base = n / self.rows, float(self.sums[:, 2].sum()) / self.rows
        reliability, resolution = weight @ (said - came) ** 2, weight @ (came - base) ** 2
        squared = self.sums[full, 3] / UNIT / n
        within = weight @ (squared - (said - came) ** 2 - came * (1.0 - came))
        return Murphy(self._mean(3), float(reliability), float(resolution), base * (1.0 - base), float(within))

    def curve(self, bins: int = 10) -> list[Point]:
        """The reliability curve; empty bins are left out."""
        full, _, said, _ = self._grouped(bins)
        grouped = self.sums.reshape(bins, -1, 5).sum(axis=1)[full]
        points = []
        for p, (n, _, yes, _, _) in zip(said, grouped.tolist(), strict=True):
            points.append(Point(n, float(p), yes / n, *wilson(yes, n)))
        return points

    def pack(self) -> bytes:
        return self.sums.astype("<i8").tobytes()

    @classmethod
    def unpack(cls, packed: bytes) -> "Calibration":
        return cls(np.frombuffer(packed, "<i8").astype(np.int64).reshape(BINS, 5))

    def _grouped(self, bins: int) -> tuple[npt.NDArray[np.bool_], Floats, Floats, Floats]:
        """Which bins have rows; and of those: rows, mean said, share that came."""
        sums = self.sums.reshape(bins, -1, 5).sum(axis=1)
        full = sums[:, 0] > 0
        n = sums[full, 0].astype(float)
        return full, n, sums[full, 1] / UNIT / n, sums[full, 2] / n

    def _mean(self, column: int) -> float:
        return float(self.sums[:, column].sum()) / UNIT / self.rows


def wilson(yes: int, rows: int, z: float = Z95) -> tuple[float, float]:
    """The interval of a share (Wilson 1927, J. American Statistical Association 22): holds where few or none came."""
    share, square = yes / rows, z * z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = z / (1 + square / rows) * ((share * (1 - share) + square / (4 * rows)) / rows) ** 0.5
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))
