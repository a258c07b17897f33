"""Whether a base has a season of the year: learnt from how much it bought in each four weeks against what was to be expected.

Expected is what the model in use, without any season, says of everybody from their first purchase day on, whatever they did
since: a sum over newcomers by day, so that a lull does not lower what is expected after it, and that the past is looked
through once. A season is expected again only if it was seen to repeat: years are alike beyond chance, and levels learnt
before each four weeks told better than none how much was bought in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import fdtrc

from services.scoring.domain.fitting import Floats
from services.scoring.domain.hindsight import PACKED
from services.scoring.domain.histogram import Cells, Ints
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.rivals import WEATHER
from services.scoring.domain.yearly import PERIODS, STEADY, Season, periods

LEAST_EXPECTED = 50.0
"""Purchase days below which four weeks say too little: chance alone moves them by a seventh."""
YEARS = 2
"""So often each four weeks of the year must have been seen."""
TRIED = 2 * PERIODS
"""The newest four weeks that levels learnt before them are tried on: a season must still be there."""
MOST_DAYS = 20 * 366
"""Purchases longer ago say nothing of a season, and wrong dates of the last century must cost nothing."""
STEP_DAYS = 7
"""What is expected by age is smooth: it is computed once a week of it."""
CHANCE = 0.001
"""Years that are so alike by chance in one of a thousand bases only have a season: the level that X-11 uses."""
EVIDENCE = 4.6
"""Nats that levels must gain on four weeks held back: odds of a hundred to one, as for the evaluation's calendar."""


@dataclass(frozen=True)
class DayCounts:
    """By day (since 1970): customers whose first purchase day it was, and repeat purchase days."""

    cells: Cells

    @classmethod
    def empty(cls) -> "DayCounts":
        return cls(Cells.empty(2))

    @classmethod
    def of(cls, packed: Sequence[bytes], until: int) -> "DayCounts":
        """From `Purchases.pack`, of days until that one."""
        table = np.frombuffer(b"".join(packed), PACKED)
        sizes = np.fromiter(map(len, packed), np.int64, len(packed)) // PACKED.itemsize
        counts = (table["orders"] > 0) & (table["day"] <= until)
        days, owner = table["day"][counts].astype(np.int64), np.repeat(np.arange(len(packed)), sizes)[counts]
        first = np.diff(owner, prepend=-1) > 0
        return cls(Cells.empty(2).plus(days, np.stack([first, ~first], axis=1).astype(np.int64)))

    def plus(self, other: "DayCounts") -> "DayCounts":
        return DayCounts(self.cells.plus(other.cells.keys, other.cells.sums))

    def between(self, first: int, until: int) -> tuple[Floats, Floats]:
        """Newcomers and repeat purchase days, day by day. Who came before counts as come on the first day."""
        newcomers, repeats = np.zeros((2, until - first + 1))
        known = self.cells.keys <= until
        days, sums = self.cells.keys[known], self.cells.sums[known]
        np.add.at(newcomers, np.maximum(days, first) - first, sums[:, 0])
        within = days >= first
        np.add.at(repeats, days[within] - first, sums[within, 1])
        return newcomers, repeats


class Seen(NamedTuple):
    """Whole four weeks of the past in which enough was expected: (n,) each, oldest first."""

    number: Ints
    log_ratio: Floats
    """ln of what was bought over what was expected."""
    weight: Floats
    """One over the variance that chance and weather give it."""

    def part(self, which: slice) -> "Seen":
        return Seen(self.number[which], self.log_ratio[which], self.weight[which])

    @property
    def times(self) -> int:
        """How often each four weeks of the year have been seen at least."""
        return int(np.bincount(self.number % PERIODS, minlength=PERIODS).min())


class Evidence(NamedTuple):
    """`nats` by which levels learnt before told so many `spans` of four weeks better than no season; `newest`, the last year's
    alone. `by_chance`: how probably years that differ as these do would look so alike without any season.
    """

    spans: int
    nats: float
    newest: float
    by_chance: float


class Found(NamedTuple):
    """`season` to be expected, or none, and why."""

    season: Season
    why: str
    evidence: Evidence | None = None


def season_of(counts: DayCounts, model: Purchasing, until: int) -> Found:
    """From everything until the end of that day."""
    past = seen(counts, model, until)
    if past.times < YEARS:
        return Found(STEADY, "less than two years of enough purchases: nothing can have been seen to repeat")
    levels = learn(past)
    found = evidence(past, levels)
    season, told = Season.of(np.exp(levels.drawn)), _words(found)
    if found.by_chance > CHANCE:
        return Found(STEADY, f"years are not alike beyond chance: {told}", found)
    if found.nats < EVIDENCE or found.newest <= 0:
        return Found(STEADY, f"the years before did not tell the next: {told}", found)
    if np.abs(np.array(season.levels) - 1.0).max() < WEATHER:
        return Found(STEADY, f"no four weeks differ from the others by more than {WEATHER:.0%}", found)
    return Found(season, f"years are alike, and the years before told the next: {told}", found)


def _words(found: Evidence) -> str:
    return (
        f"levels learnt before {found.spans} times four weeks told them by {found.nats:+.1f} nats better than no season "
        f"(the last year's by {found.newest:+.1f}), and years would be so alike by chance with a probability of "
        f"{found.by_chance:.2g}"
    )


def seen(counts: DayCounts, model: Purchasing, until: int) -> Seen:
    """What was bought in each whole four weeks, and what was to be expected."""
    nothing = Seen(np.empty(0, np.int64), np.empty(0), np.empty(0))
    if not len(counts.cells.keys):
        return nothing
    first = max(int(counts.cells.keys.min()), until - MOST_DAYS)
    days = np.arange(first, until + 1)
    if not len(days):
        return nothing
    newcomers, bought = counts.between(first, until)
    expected = fftconvolve(newcomers, _by_age(model, len(days)))[: len(days)]
    number = periods(np.append(days, until + 1))
    # The first four weeks are seldom whole, and the last only if another begins tomorrow.
    whole = (number > number[0]) & (number < number[-1])
    place = number[whole] - number[0]
    sums = [np.bincount(place, part[whole[:-1]]) for part in (bought, expected)]
    enough = np.flatnonzero(sums[1] >= LEAST_EXPECTED)
    came, due = sums[0][enough], sums[1][enough]
    return Seen(number[0] + enough, np.log((came + 0.5) / (due + 0.5)), 1.0 / (1.0 / due + WEATHER**2))


def _by_age(model: Purchasing, days: int) -> Floats:
    """Repeat purchase days expected of a newcomer on each day after the first purchase; (days,), none on the first."""
    ages = np.append(np.arange(0.0, days, STEP_DAYS), float(days))
    nothing = np.zeros(len(ages))
    until = model.expected_purchases(nothing, nothing, nothing, ages)
    return np.diff(np.interp(np.arange(-1.0, days), ages, until))


class Levels(NamedTuple):
    """(13,) each, ln of what each four weeks of the year are against the others, of mean 0: as seen, and `drawn` towards that
    as far as years differ. `excess`: by how much they differ, 1 where by chance and weather alone; `free` values tell it.
    """

    seen: Floats
    drawn: Floats
    variance: Floats
    excess: float
    free: int


def learn(past: Seen) -> Levels:
    """Least squares of what was bought over what was expected, every four weeks of the year seen once at least.

    With a straight trend where they were seen twice: a base that grows all year is none that buys at its end. Drawn: as much
    of a level as is not chance, by how levels spread beyond what their errors make them (empirical Bayes).
    """
    place = np.eye(PERIODS)[past.number % PERIODS]
    trend = (past.number - past.number.mean())[:, None] / PERIODS
    columns = np.concatenate([place, trend], axis=1) if past.times >= YEARS else place
    root = np.sqrt(past.weight)
    fit = np.linalg.lstsq(columns * root[:, None], past.log_ratio * root, rcond=None)[0]
    left, free = past.log_ratio - columns @ fit, len(past.number) - columns.shape[1]
    # Never below what chance and weather give; and one year says nothing of how years differ.
    excess = max(float(past.weight @ left**2) / free, 1.0) if free > 0 else 1.0
    levels = fit[:PERIODS] - fit[:PERIODS].mean()
    variance = excess / (past.weight @ place)
    spread = max(float((levels**2).sum() / (PERIODS - 1) - variance.mean()), 0.0)
    drawn = levels * (spread / (spread + variance))
    return Levels(levels, drawn - drawn.mean(), variance, excess, free)


def evidence(past: Seen, levels: Levels) -> Evidence:
    """Of the whole past, whose levels are given: an F test of them (the one of X-11), and four weeks held back one by one."""
    f = float((levels.seen**2 / levels.variance).sum()) / (PERIODS - 1)
    gains = [_gain(past, i) for i in range(len(past.number)) if past.part(slice(i)).times >= 1]
    newest = np.array(gains[-TRIED:]) / levels.excess
    by_chance = float(fdtrc(PERIODS - 1, max(levels.free, 1), f))
    return Evidence(len(newest), float(newest.sum()), float(newest[-PERIODS:].sum()), by_chance)


def _gain(past: Seen, i: int) -> float:
    """In nats of normal errors, levels learnt before against none: the pace is that of the year before, either way."""
    before = past.part(slice(i))
    missed = past.log_ratio[i] - before.log_ratio[-PERIODS:].mean()
    level = learn(before).drawn[past.number[i] % PERIODS]
    return float(past.weight[i] * (missed**2 - (missed - level) ** 2) / 2)
