"""The base looked through once: what the choice of a model needs, and the histogram that refits read does not hold.

The lengths of the gaps between purchases; the base as it stood a while ago, with who has come back since; and how recency,
frequency and money are spread. Everything is a sum over customers, so that pages of customers add up in any order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.scoring.domain.drift import Shift, psi, shift
from services.scoring.domain.fitting import Floats
from services.scoring.domain.hindsight import PACKED, then
from services.scoring.domain.histogram import Cells, Ints, visit_keys
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.domain.money_cells import cells_of
from services.scoring.domain.prediction import Histories
from services.scoring.domain.seasonality import DayCounts

RECENCY_EDGES = np.array([8, 15, 31, 61, 91, 121, 181, 271, 366, 731])
FREQUENCY_EDGES = np.array([1, 2, 3, 5, 8, 13, 21, 34, 55])
"""Of days since the last purchase, and of repeat purchase days: about ten bins, as is usual for a stability index."""
MONEY_STEP = 70
"""Cells of money, a hundredth wide each, to a bin: about a factor of two."""
MONEY_BINS = 64
NO_DAY = 2**31 - 1


@dataclass(frozen=True)
class Snapshot:
    """The base at the end of a day. `cells`, by cohort, x and t_x: customers, x, first day, t_x, and who bought afterwards."""

    cells: Cells
    log_gaps: float

    @classmethod
    def empty(cls) -> "Snapshot":
        return cls(Cells.empty(5), 0.0)

    @classmethod
    def of(cls, histories: Histories, came: Floats, log_gaps: float) -> "Snapshot":
        x, first, last = (part.astype(np.int64) for part in (histories.x, histories.first_day, histories.last_day))
        sums = np.stack([np.ones_like(x), x, first, last - first, (came > 0).astype(np.int64)], axis=1)
        return cls(Cells.empty(5).plus(visit_keys(x, first, last - first), sums), log_gaps)

    def plus(self, other: "Snapshot") -> "Snapshot":
        return Snapshot(self.cells.plus(other.cells.keys, other.cells.sums), self.log_gaps + other.log_gaps)

    @property
    def customers(self) -> int:
        return int(self.cells.sums[:, 0].sum())

    @property
    def bought(self) -> Floats:
        """How many customers of each cell."""
        return self.cells.sums[:, 4].astype(np.float64)

    def visits(self, day: int) -> Visits:
        """That day's, in days."""
        t_x = self.cells.mean(3)
        age = np.maximum(day - self.cells.mean(2), t_x)
        return Visits(self.cells.mean(1), t_x, age, self.cells.sums[:, 0].astype(np.float64))


class Drifted(NamedTuple):
    psi: float
    shift: Shift


@dataclass(frozen=True)
class Inputs:
    """How many customers have which recency, frequency and money: counts over bins that never change."""

    recency: Ints
    frequency: Ints
    money: Ints

    @classmethod
    def empty(cls) -> "Inputs":
        sizes = (len(RECENCY_EDGES) + 1, len(FREQUENCY_EDGES) + 1, MONEY_BINS)
        return cls(*(np.zeros(size, np.int64) for size in sizes))

    @classmethod
    def of(cls, histories: Histories, day: int) -> "Inputs":
        micros = np.rint(histories.money * 1e6).astype(np.int64)
        places = (
            np.searchsorted(RECENCY_EDGES, day - histories.last_day, side="right"),
            np.searchsorted(FREQUENCY_EDGES, histories.x, side="right"),
            np.clip(cells_of(micros) // MONEY_STEP, 0, MONEY_BINS - 1),
        )
        sizes = [len(column) for column in cls.empty().columns.values()]
        return cls(*(np.bincount(place, minlength=size) for place, size in zip(places, sizes, strict=True)))

    @property
    def columns(self) -> dict[str, Ints]:
        return {"recency": self.recency, "frequency": self.frequency, "money": self.money}

    def plus(self, other: "Inputs") -> "Inputs":
        mine, theirs = self.columns, other.columns
        return Inputs(**{name: mine[name] + theirs[name] for name in mine})

    def drift(self, since: "Inputs") -> dict[str, Drifted]:
        """How far each has moved since then."""
        then, now = since.columns, self.columns
        pairs = {name: (then[name].astype(np.float64), now[name].astype(np.float64)) for name in now}
        return {name: Drifted(psi(*pair), shift(*pair)) for name, pair in pairs.items()}

    def pack(self) -> dict[str, list[int]]:
        return {name: column.tolist() for name, column in self.columns.items()}

    @classmethod
    def unpack(cls, packed: dict[str, list[int]]) -> "Inputs":
        return cls(**{name: np.array(column, np.int64) for name, column in packed.items()})


@dataclass(frozen=True)
class Overview:
    """`now`: the base of today; `before`: of the end of an earlier day, and who has bought since."""

    now: Snapshot
    before: Snapshot
    inputs: Inputs
    first_day: int
    """Of all purchases."""
    days: DayCounts
    """Until yesterday: today is not over."""

    @classmethod
    def empty(cls) -> "Overview":
        return cls(Snapshot.empty(), Snapshot.empty(), Inputs.empty(), NO_DAY, DayCounts.empty())

    @classmethod
    def of(cls, packed: Sequence[bytes], today: int, cut: int) -> "Overview":
        """From `Purchases.pack`."""
        later, latest = then(packed, cut, today - cut), then(packed, today, 0)
        gaps = [_log_gaps(packed, day) for day in (today, cut)]
        now = Snapshot.of(latest.histories, latest.purchases, gaps[0])
        before = Snapshot.of(later.histories, later.purchases, gaps[1])
        first = int(latest.histories.first_day.min(initial=NO_DAY))
        return cls(now, before, Inputs.of(latest.histories, today), first, DayCounts.of(packed, today - 1))

    def plus(self, other: "Overview") -> "Overview":
        first = min(self.first_day, other.first_day)
        now, before = self.now.plus(other.now), self.before.plus(other.before)
        return Overview(now, before, self.inputs.plus(other.inputs), first, self.days.plus(other.days))


def _log_gaps(packed: Sequence[bytes], until: int) -> float:
    """Sum of ln of all days between purchase days, of those until that day."""
    table = np.frombuffer(b"".join(packed), PACKED)
    owner = np.repeat(np.arange(len(packed)), np.fromiter(map(len, packed), np.int64, len(packed)) // PACKED.itemsize)
    counts = (table["orders"] > 0) & (table["day"] <= until)
    day, whose = table["day"][counts].astype(np.int64), owner[counts]
    return float(np.log(np.diff(day)[np.diff(whose) == 0]).sum())
