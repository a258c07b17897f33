"""What customers do besides buying, as counts by day, and the features that a model may learn from it.

Counts by day and not decaying sums, so that late facts and two customers found to be one give exactly what they would have
given in time order, and so that the past can be looked at again. Repetitions are kept out before they come here.
Purchases are kept by day already (`purchases`), without those that were cancelled, and are not kept here once more.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.domain.purchases import day_of

RECORD = Struct("<iBI")
PACKED = np.dtype([("day", "<i4"), ("doing", "u1"), ("times", "<u4")])
assert PACKED.itemsize == RECORD.size
WINDOWS = (30, 90, 365)
"""Days that are counted back from the day before a decision."""
MOST_DAYS = 1_200
"""Distinct days of a customer that are kept, the newest: as far back as decisions from which is learnt (two years) and the
year before them, for somebody who does something every day. 65 kB at the worst."""


class Doing(IntEnum):
    """What was done. The numbers are stored."""

    CONTACT = 0
    COMPLAINT = 1
    VISIT = 2
    PURCHASE = 3
    """Never stored here: `Records.plus_purchases`."""
    PAYMENT_FAILED = 4
    CAMPAIGN_RECEIVED = 5
    CAMPAIGN_ANSWERED = 6
    SERVICE = 7
    """Help that was asked for."""


class Done(NamedTuple):
    """How often on one UTC day; 0: so often that it no longer matters, but that it was the last such day is known."""

    day: int
    doing: Doing
    times: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Sorted by day and doing, each pair once.

    Of a customer with more than `MOST_DAYS` days, only the newest ones are counted; of all before, for each doing, the last
    day stays, with 0 times. Any order of facts leaves the same, because a day that was given up has that many newer ones for ever.
    """

    days: tuple[Done, ...] = ()

    @classmethod
    def of(cls, facts: Iterable[tuple[datetime, Doing]]) -> "Behaviour":
        return cls._summed(Done(day_of(at), doing, 1) for at, doing in facts)

    def plus(self, other: "Behaviour") -> "Behaviour":
        """Both together: new facts, or a second customer who turns out to be the same."""
        return self._summed((*self.days, *other.days)) if other.days else self

    @classmethod
    def grown(cls, packed: bytes, facts: Iterable[tuple[datetime, Doing]]) -> bytes:
        """A packed one with more facts. What is newer than all that is known, as most is, is only written behind it."""
        new = cls.of(facts)
        if not new.days or len(packed) >= MOST_DAYS * RECORD.size:
            return cls.unpack(packed).plus(new).pack()
        last = RECORD.unpack(packed[-RECORD.size :])[:2] if packed else None
        if last is None or last < new.days[0][:2]:
            return packed + new.pack()
        return cls.unpack(packed).plus(new).pack()

    def features(self, day: int) -> Mapping[str, float | None]:
        """As of the beginning of a day: nothing of that day or later is looked at. None of what has never been done."""
        (row,) = features(Records.of([self.pack()]), np.array([day])).tolist()
        return {name: None if math.isnan(value) else value for name, value in zip(FEATURES, row, strict=True)}

    def pack(self) -> bytes:
        """9 bytes a day and doing."""
        return b"".join([RECORD.pack(*done) for done in self.days])

    @classmethod
    def unpack(cls, packed: bytes) -> "Behaviour":
        return cls(tuple([Done(day, DOINGS[doing], times) for day, doing, times in RECORD.iter_unpack(packed)]))

    @classmethod
    def _summed(cls, done: Iterable[Done]) -> "Behaviour":
        times: dict[tuple[int, Doing], int] = {}
        for one in done:
            times[one.day, one.doing] = times.get((one.day, one.doing), 0) + one.times
        if len(times) > MOST_DAYS:
            times = _trimmed(times)
        return cls(tuple([Done(day, doing, times[day, doing]) for day, doing in sorted(times)]))


DOINGS = tuple(Doing)


def _trimmed(times: Mapping[tuple[int, Doing], int]) -> dict[tuple[int, Doing], int]:
    counted = sorted({day for (day, _), count in times.items() if count})[-MOST_DAYS:]
    kept = {key: count for key, count in times.items() if key[0] >= counted[0] and count}
    last: dict[Doing, int] = {}
    for day, doing in times:
        if day < counted[0]:
            last[doing] = max(day, last.get(doing, day))
    return kept | {(day, doing): 0 for doing, day in last.items()}


class Records(NamedTuple):
    """What some customers did, (n,) each: whose (their position), when, what, and how often."""

    owner: Ints
    day: Ints
    doing: Ints
    times: Floats

    @classmethod
    def of(cls, packed: Sequence[bytes]) -> "Records":
        """From `Behaviour.pack` of each customer."""
        table = np.frombuffer(b"".join(packed), PACKED)
        day, doing = table["day"].astype(np.int64), table["doing"].astype(np.int64)
        return cls(owners(packed, PACKED.itemsize), day, doing, table["times"].astype(np.float64))

    def plus_purchases(self, owner: Ints, day: Ints, orders: Floats) -> "Records":
        doing = np.full(len(owner), Doing.PURCHASE, np.int64)
        return Records(
            np.concatenate([self.owner, owner]),
            np.concatenate([self.day, day]),
            np.concatenate([self.doing, doing]),
            np.concatenate([self.times, orders]),
        )


def owners(packed: Sequence[bytes], size: int) -> Ints:
    """Whose each record of that size is."""
    lengths = np.fromiter(map(len, packed), np.int64, len(packed))
    return np.repeat(np.arange(len(packed)), lengths // size)


FEATURES = tuple(
    f"{doing.name.lower()}_{of}" for doing in Doing for of in (*(str(days) for days in WINDOWS), "days_since", "trend")
)
"""For each doing: times in the last 30, 90 and 365 days; days since the last time; and the trend, ln of the last 30 days over
the mean of the two months before them, below 0 where it declines."""


def features(records: Records, decided: Ints) -> Floats:
    """(customers, FEATURES) as of the beginning of the day that is decided on for each, (customers,); NaN: never."""
    rows, kinds = len(decided), len(Doing)
    ago = decided[records.owner] - records.day
    place = records.owner * kinds + records.doing
    counts = [
        np.bincount(place, records.times * ((ago > 0) & (ago <= window)), rows * kinds).reshape(rows, kinds)
        for window in WINDOWS
    ]
    nearest = np.full(rows * kinds, np.inf)
    past = ago > 0
    np.minimum.at(nearest, place[past], ago[past].astype(np.float64))
    since = np.where(np.isfinite(nearest), nearest, np.nan).reshape(rows, kinds)
    trend = np.log((counts[0] + 0.5) / ((counts[1] - counts[0]) / 2 + 0.5))
    return np.stack([*counts, since, trend], axis=2).reshape(rows, kinds * 5)
