"""The season of the year: how much more or less a whole base buys in each four weeks of it, by the calendar's dates.

Scores read it as a clock: a horizon that lies in a high season is as good as a longer one. Whether there is a season to be
expected is found in `seasonality`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints

PERIODS, PERIOD_DAYS = 13, 28
YEAR_DAYS = 365.25
LENGTHS: Floats = np.array([float(PERIOD_DAYS)] * (PERIODS - 1) + [YEAR_DAYS - PERIOD_DAYS * (PERIODS - 1)])
"""Days of each period of the year: whole weeks, but for the last, which ends with the year."""
FOLLOWED = 366
"""Days ahead of which it is known how far the season moves a horizon: then it has come round."""
SAME = 0.005


def periods(days: Ints) -> Ints:
    """Numbers of the four weeks in which days (since 1970) lie, 13 to a year: modulo 13, their place in the year."""
    dates = days.astype("datetime64[D]")
    years = dates.astype("datetime64[Y]")
    within = (dates - years.astype("datetime64[D]")).astype(np.int64)
    numbers: Ints = years.astype(np.int64) * PERIODS + np.minimum(within // PERIOD_DAYS, PERIODS - 1)
    return numbers


@dataclass(frozen=True)
class Coming:
    """How a horizon that begins n days from now compares with one that begins now, n from 1: most and least until then."""

    most: Floats
    least: Floats


@dataclass(frozen=True)
class Season:
    """A level for each of the 13 periods of the year, their mean over a year 1; none: every day counts alike."""

    levels: tuple[float, ...] = ()

    @classmethod
    def of(cls, levels: Floats) -> "Season":
        return cls(tuple((levels * (YEAR_DAYS / (LENGTHS @ levels))).tolist()))

    def ahead(self, today: int, horizon_days: int) -> float:
        """The days after `today`, so many of them, on the season's clock."""
        return _ahead(self.levels, today, horizon_days) if self.levels else float(horizon_days)

    def each(self, days: Ints, horizon_days: int) -> Floats:
        """The same of many days at once."""
        if not self.levels or not len(days):
            return np.full(len(days), float(horizon_days))
        first = int(days.min())
        shown = np.cumsum(self._on(np.arange(first, int(days.max()) + horizon_days + 1)))
        return np.asarray(shown[days - first + horizon_days] - shown[days - first], dtype=np.float64)

    def coming(self, today: int, horizon_days: int) -> Coming | None:
        """None where nothing ever moves by it."""
        return _coming(self.levels, today, horizon_days) if self.levels else None

    def close_to(self, other: "Season") -> bool:
        return len(self.levels) == len(other.levels) and bool(np.allclose(self.levels, other.levels, rtol=SAME, atol=0))

    def _on(self, days: Ints) -> Floats:
        return np.array(self.levels)[periods(days) % PERIODS]


STEADY = Season()


@lru_cache(maxsize=256)
def _ahead(levels: tuple[float, ...], today: int, horizon_days: int) -> float:
    """Of all customers at a moment it is the same number."""
    return float(Season(levels).each(np.array([today]), horizon_days)[0])


@lru_cache(maxsize=256)
def _coming(levels: tuple[float, ...], today: int, horizon_days: int) -> Coming:
    ahead = Season(levels).each(today + np.arange(FOLLOWED + 1), horizon_days)
    moved = ahead[1:] / ahead[0]
    return Coming(np.maximum.accumulate(np.maximum(moved, 1.0)), np.minimum.accumulate(np.minimum(moved, 1.0)))
