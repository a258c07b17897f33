"""What a customer does again and again: how often, since when, until when, and how much of it is recent.

One form for products bought, categories, channels used and hours of contact; items are numbers that the caller gives.
An event d days ago weighs 2^(-d / half-life). An item's weight is as of its own last day, v <- v 2^(-(t - last) / half-life)
+ 1, so that an event touches its own items only; a late event is faded instead of the weight. Two weights can be compared
without a clock by log2(v) + last / half-life (forward decay: Cormode, Shkapenyuk, Srivastava, Xu 2009, ICDE).

At most `capacity` items are kept, the heaviest. As long as nobody had more, the state is the same, up to rounding,
after any order, late events and merges. Beyond that, an item that was dropped and comes back has forgotten what it
was dropped with: its weight lies between the one kept and the one kept plus `lost`, its first day may be too late and
its times too few. What is kept and what is lost always add up to all that happened.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

NEVER = -(2**31)
"""The day of a customer of whom nothing is known."""
MOST_TIMES = 2**32 - 1
DIGITS = 9
"""Of the logarithm of a weight, in comparisons."""
RECORD = struct.Struct("<IIiid")


@dataclass(frozen=True)
class Memory:
    """How long and how much is remembered: half-life in days, number of items."""

    half_life: float
    capacity: int

    def __post_init__(self) -> None:
        if not (self.half_life > 0 and self.capacity > 0):
            raise ValueError("a memory has a positive half-life and capacity")

    def fade(self, days: int) -> float:
        """What is left of a weight after so many days."""
        return math.exp2(-days / self.half_life)


class Basket(NamedTuple):
    """What happened at once: days since 1970, and which items. An item counts once in a basket."""

    day: int
    items: frozenset[int]


class Habit(NamedTuple):
    """One item: how many times, first and last day, decayed weight as of the last day (so never below one)."""

    item: int
    times: int
    first: int
    last: int
    weight: float

    @property
    def interval(self) -> float | None:
        """Mean days between two times; None after a single one."""
        return (self.last - self.first) / (self.times - 1) if self.times > 1 else None

    def plus(self, other: "Habit", memory: Memory) -> "Habit":
        last = max(self.last, other.last)
        weight = self.weight * memory.fade(last - self.last) + other.weight * memory.fade(last - other.last)
        times = min(self.times + other.times, MOST_TIMES)
        return Habit(self.item, times, min(self.first, other.first), last, weight)

    def weight_on(self, day: int, memory: Memory) -> float:
        """The weight on a later day; a day before the last one counts as the last."""
        return self.weight * memory.fade(max(day - self.last, 0))


@dataclass(frozen=True, slots=True)
class Habits:
    """The items kept, sorted, each once; the latest `day`, of which is `lost`, the weight of what was dropped."""

    day: int = NEVER
    lost: float = 0.0
    kept: tuple[Habit, ...] = ()

    @classmethod
    def once(cls, basket: Basket) -> "Habits":
        """One event, not yet cut to any capacity."""
        return cls(
            basket.day, 0.0, tuple([Habit(item, 1, basket.day, basket.day, 1.0) for item in sorted(basket.items)])
        )

    @classmethod
    def of(cls, baskets: Iterable[Basket], memory: Memory) -> "Habits":
        return reduce(lambda habits, basket: habits.plus(cls.once(basket), memory), baskets, cls())

    def plus(self, other: "Habits", memory: Memory) -> "Habits":
        """Both together: more events, of which the caller has removed duplicates, or a second customer who is the same.

        The cost is bounded by the capacity and the size of the basket.
        """
        if not other.kept and not other.lost:
            return self
        if not self.kept and not self.lost and len(other.kept) <= memory.capacity:
            return other
        by_item = {habit.item: habit for habit in self.kept}
        for habit in other.kept:
            known = by_item.get(habit.item)
            by_item[habit.item] = known.plus(habit, memory) if known else habit
        day = max(self.day, other.day)
        lost = sum([one.lost * memory.fade(day - one.day) for one in (self, other) if one.lost])
        if len(by_item) > memory.capacity:
            dropped = [by_item.pop(item) for item in _heaviest_first(by_item.values(), memory)[memory.capacity :]]
            lost += math.fsum([habit.weight_on(day, memory) for habit in dropped])
        return Habits(day, lost, tuple(sorted(by_item.values())))

    def weight_on(self, day: int, memory: Memory) -> float:
        """Of all that ever happened, as of a day not before the latest."""
        return math.fsum([habit.weight_on(day, memory) for habit in self.kept]) + self.lost_on(day, memory)

    def lost_on(self, day: int, memory: Memory) -> float:
        return self.lost * memory.fade(max(day - self.day, 0))

    def heaviest(self, number: int, memory: Memory) -> list[Habit]:
        """The items done most and latest, the heaviest first."""
        by_item = {habit.item: habit for habit in self.kept}
        return [by_item[item] for item in _heaviest_first(self.kept, memory)[:number]]

    def pack(self) -> bytes:
        """24 bytes, and 24 for each item."""
        head = RECORD.pack(len(self.kept), 0, self.day, 0, self.lost)
        return head + b"".join([RECORD.pack(*habit) for habit in self.kept])

    @classmethod
    def unpack(cls, packed: bytes) -> "Habits":
        (_, _, day, _, lost), *habits = RECORD.iter_unpack(packed)
        return cls(day, lost, tuple(map(Habit._make, habits)))


def _heaviest_first(habits: Iterable[Habit], memory: Memory) -> list[int]:
    """The items. Logarithms are rounded, so that equal habits remain so however their sums were made."""
    ranked = [
        (-round(math.log2(weight) + last / memory.half_life, DIGITS), -last, item)
        for item, _, _, last, weight in habits
    ]
    return [item for _, _, item in sorted(ranked)]
