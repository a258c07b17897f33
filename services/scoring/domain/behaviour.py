"""What customers do besides buying, as counts by day, and the features that a model may learn from it.

Counts by day and not decaying sums, so that late facts and two customers found to be one give exactly what they would have
given in time order, and so that the past can be looked at again. Repetitions are kept out before they come here.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from services.scoring.domain.purchases import day_of

RECORD = Struct("<iBI")
WINDOWS = (30, 90, 365)
"""Days that are counted back from the day before a decision."""


class Doing(IntEnum):
    """What was done. The numbers are stored."""

    CONTACT = 0
    COMPLAINT = 1
    VISIT = 2
    PURCHASE = 3
    PAYMENT_FAILED = 4
    CAMPAIGN_RECEIVED = 5
    CAMPAIGN_ANSWERED = 6


class Done(NamedTuple):
    """How often on one UTC day."""

    day: int
    doing: Doing
    times: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Sorted by day and doing, each pair once."""

    days: tuple[Done, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[tuple[datetime, Doing]]) -> "Behaviour":
        return cls._summed(Done(day_of(at), doing, 1) for at, doing in facts)

    def plus(self, other: "Behaviour") -> "Behaviour":
        """Both together: new facts, or a second customer who turns out to be the same."""
        return self._summed((*self.days, *other.days))

    def features(self, day: int) -> Mapping[str, float | None]:
        """As of the beginning of a day: nothing of that day or later is looked at.

        For each doing: times in the last 30, 90 and 365 days; days since the last time, None if never; and the trend, ln of
        the last 30 days over the mean of the two months before them, below 0 where it declines.
        """
        features: dict[str, float | None] = {}
        for doing in Doing:
            past = [(day - done.day, done.times) for done in self.days if done.doing is doing and done.day < day]
            counts = [float(sum(times for ago, times in past if ago <= window)) for window in WINDOWS]
            name = doing.name.lower()
            features |= {f"{name}_{window}": count for window, count in zip(WINDOWS, counts, strict=True)}
            features[f"{name}_days_since"] = float(min(ago for ago, _ in past)) if past else None
            features[f"{name}_trend"] = math.log((counts[0] + 0.5) / ((counts[1] - counts[0]) / 2 + 0.5))
        return features

    def pack(self) -> bytes:
        """9 bytes a day and doing."""
        return b"".join([RECORD.pack(*done) for done in self.days])

    @classmethod
    def unpack(cls, packed: bytes) -> "Behaviour":
        return cls(tuple(Done(day, Doing(doing), times) for day, doing, times in RECORD.iter_unpack(packed)))

    @classmethod
    def _summed(cls, done: Iterable[Done]) -> "Behaviour":
        times: dict[tuple[int, Doing], int] = {}
        for one in done:
            times[one.day, one.doing] = times.get((one.day, one.doing), 0) + one.times
        return cls(tuple(Done(day, doing, times[day, doing]) for day, doing in sorted(times)))
