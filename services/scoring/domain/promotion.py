"""Champion and challenger: both score everybody, one is believed; the other takes its place on paired evidence only.

For each matured row, the gain is the champion's loss less the challenger's on that same row. Rows of one day share their
weather, so that whole blocks of time are drawn again and not single rows (Kuensch 1989, Annals of Statistics 17).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from services.scoring.domain.calibration import CERTAIN, Calibration
from services.scoring.domain.fitting import Floats

MIN_BLOCKS = 10
"""Fewer blocks of time say too little of how they differ."""
DRAWS = 2000
ECE_SLACK = 0.005
"""By how much the challenger's calibration error may exceed the champion's."""
Z99 = 2.326
WINDOWS = 2


def squared_loss(probability: Floats, happened: Floats) -> Floats:
    loss: Floats = (probability - happened) ** 2
    return loss


def log_loss(probability: Floats, happened: Floats) -> Floats:
    """Nats short of certainty, (n,); at most 20.7."""
    loss: Floats = -np.log(np.abs(1.0 - happened - probability).clip(CERTAIN))
    return loss


@dataclass(frozen=True)
class Gain:
    """Mean gain a row, with its 95 % interval: None where there are too few blocks for one."""

    rows: int
    blocks: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Window:
    """A stretch of time in which both models scored the same rows, and those rows have matured."""

    gain: Gain
    champion: Calibration
    challenger: Calibration

    @property
    def better(self) -> bool:
        """The challenger is better beyond doubt, and its probabilities hold as well as the champion's."""
        return self.gain.low is not None and self.gain.low > 0 and self.holds

    @property
    def holds(self) -> bool:
        """The challenger's calibration error is not above the champion's, or no larger than chance would show in 99 %."""
        mine, theirs, by_chance = self.challenger.ece(), self.champion.ece(), self.challenger.ece_by_chance()
        if mine is None or theirs is None or by_chance is None:
            return False
        mean, deviation = by_chance
        return mine <= max(theirs + ECE_SLACK, mean + Z99 * deviation)


def compare(champion: Floats, challenger: Floats, happened: Floats, block: npt.NDArray[np.int64], seed: int) -> Window:
    """Probabilities of both for the same rows, what came, and the block of time (a day, a week) of each; (n,) all."""
    gains = log_loss(champion, happened) - log_loss(challenger, happened)
    return Window(gain(gains, block, seed), Calibration.of(champion, happened), Calibration.of(challenger, happened))


def gain(gains: Floats, block: npt.NDArray[np.int64], seed: int) -> Gain:
    """Mean of the gains, and the interval that whole blocks drawn again and again give (percentiles of 2,000 draws)."""
    _, where = np.unique(block, return_inverse=True)
    sizes: Floats = np.bincount(where).astype(np.float64)
    return gain_of(np.bincount(where, weights=gains).astype(np.float64), sizes, seed)


def gain_of(totals: Floats, sizes: Floats, seed: int) -> Gain:
    """The same from each block's sum of gains and its rows, (blocks,) each."""
    blocks, rows = len(sizes), int(sizes.sum())
    if not rows:
        return Gain(0, 0, 0.0, None, None)
    mean = float(totals.sum() / rows)
    if blocks < MIN_BLOCKS:
        return Gain(rows, blocks, mean, None, None)
    drawn = np.random.default_rng(seed).multinomial(blocks, np.full(blocks, 1.0 / blocks), size=DRAWS)
    low, high = np.quantile(drawn @ totals / (drawn @ sizes), [0.025, 0.975])
    return Gain(rows, blocks, mean, float(low), float(high))


def window(champion: Sequence[Calibration], challenger: Sequence[Calibration], seed: int) -> Window:
    """From tables of the same rows, block by block: both sum the log loss that `compare` takes row by row."""
    pairs = list(zip(champion, challenger, strict=True))
    totals = np.array([mine.total_log_loss - theirs.total_log_loss for mine, theirs in pairs], dtype=float)
    gained = gain_of(totals, np.array([mine.rows for mine, _ in pairs], dtype=float), seed)
    whole = (reduce(Calibration.plus, side, Calibration.empty()) for side in (champion, challenger))
    return Window(gained, *whole)


def promoted(windows: list[Window]) -> bool:
    """Whether the challenger takes over: better in each of the last two windows, which follow each other in time."""
    return len(windows) >= WINDOWS and all(window.better for window in windows[-WINDOWS:])
