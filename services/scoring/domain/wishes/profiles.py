"""Many customers' habits as arrays, straight from their packed bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.wishes.habits import Memory

PACKED = np.dtype([("item", "<u4"), ("times", "<u4"), ("first", "<i4"), ("last", "<i4"), ("weight", "<f8")])
"""`habits.RECORD`; one goes before each customer's items, with their number, the latest day and what was lost."""


@dataclass(frozen=True)
class Profiles:
    """Habits of many customers, one after the other: customer c has the entries starts[c] up to starts[c + 1].

    The weight of an entry is as of its last day.
    """

    starts: Ints
    item: Ints
    times: Floats
    first: Ints
    last: Ints
    weight: Floats

    @classmethod
    def of(cls, packed: Sequence[bytes]) -> "Profiles":
        """From `Habits.pack`, in the same order."""
        table = np.frombuffer(b"".join(packed), PACKED)
        counts = np.fromiter(map(len, packed), np.int64, len(packed)) // PACKED.itemsize
        entries = np.ones(len(table), bool)
        entries[np.cumsum(counts) - counts] = False
        rest = table[entries]
        starts = np.concatenate([[0], np.cumsum(counts - 1)]).astype(np.int64)
        item, first, last = (rest[name].astype(np.int64) for name in ("item", "first", "last"))
        return cls(starts, item, rest["times"].astype(np.float64), first, last, rest["weight"].astype(np.float64))

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def owner(self) -> Ints:
        """The customer of each entry."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def weight_on(self, day: int, memory: Memory) -> Floats:
        """The weight of each entry on a day; one before its last day counts as the last."""
        weight: Floats = self.weight * np.exp2(-np.maximum(day - self.last, 0) / memory.half_life)
        return weight

    def only(self, wanted: npt.NDArray[np.bool_]) -> "Profiles":
        """The same customers with fewer entries."""
        starts = np.concatenate([[0], np.cumsum(wanted)])[self.starts]
        item, first, last = (column[wanted] for column in (self.item, self.first, self.last))
        return Profiles(starts, item, self.times[wanted], first, last, self.weight[wanted])
