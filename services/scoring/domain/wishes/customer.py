"""All that is remembered of one customer's wishes: products, categories, channels, and hours of contact."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from services.scoring.domain.wishes.habits import Basket, Habits, Memory
from services.scoring.domain.wishes.preferences import WEEK_HOURS

UNKNOWN = Habits()


class Memories(NamedTuple):
    """How long and how much is remembered of each. Hours and channels are few, and habits of meeting change slowly."""

    products: Memory = Memory(half_life=60.0, capacity=64)
    categories: Memory = Memory(half_life=120.0, capacity=32)
    channels: Memory = Memory(half_life=180.0, capacity=8)
    hours: Memory = Memory(half_life=180.0, capacity=WEEK_HOURS)


@dataclass(frozen=True, slots=True)
class Wishes:
    products: Habits = UNKNOWN
    categories: Habits = UNKNOWN
    channels: Habits = UNKNOWN
    hours: Habits = UNKNOWN

    @classmethod
    def of_purchase(cls, day: int, products: Iterable[int], categories: Iterable[int]) -> "Wishes":
        """An order: each product once, each category once."""
        return cls(
            products=Habits.once(Basket(day, frozenset(products))),
            categories=Habits.once(Basket(day, frozenset(categories))),
        )

    @classmethod
    def of_contact(cls, day: int, channel: int, hour: int) -> "Wishes":
        """The customer came, called, answered or bought: on which channel, in which hour of their own week (Monday 0 to 167)."""
        if not 0 <= hour < WEEK_HOURS:
            raise ValueError(f"a week has no hour {hour}")
        return cls(
            channels=Habits.once(Basket(day, frozenset([channel]))), hours=Habits.once(Basket(day, frozenset([hour])))
        )

    def plus(self, other: "Wishes", memories: Memories) -> "Wishes":
        """Both together: one more event, or a second customer who turns out to be the same."""
        return Wishes(
            self.products.plus(other.products, memories.products),
            self.categories.plus(other.categories, memories.categories),
            self.channels.plus(other.channels, memories.channels),
            self.hours.plus(other.hours, memories.hours),
        )

    @property
    def parts(self) -> tuple[Habits, Habits, Habits, Habits]:
        return self.products, self.categories, self.channels, self.hours
