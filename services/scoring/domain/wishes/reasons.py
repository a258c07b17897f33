"""Why a product is offered, in words that an agent can read aloud."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from services.scoring.domain.wishes.habits import Habit, Habits, Memory
from services.scoring.domain.wishes.shelf import Shelf

Name = Callable[[int], str]
"""A product's name by its number."""
MONTH = 30.4
"""Days; from two months on months are said, from two weeks on weeks."""


class Reason(NamedTuple):
    """What speaks most for an offer on a day, and how much of its score that is (0 to 1).

    `habit` is the customer's own: with this product, or with another that it goes together with; None: it is popular.
    """

    item: int
    habit: Habit | None
    part: float
    day: int

    def words(self, name: Name) -> str:
        if self.habit is None:
            return "popular"
        if self.habit.item != self.item:
            return f"often bought with {name(self.habit.item)}"
        return _bought(self.habit, self.day)


def reason(shelf: Shelf, habits: Habits, item: int, day: int, memory: Memory) -> Reason | None:
    """The largest part of the score that `offers` gives; None if nothing speaks for the product, or it is not known."""
    places, known = shelf.catalogue.places(np.array([item, *(habit.item for habit in habits.kept)]))
    if not known[0]:
        return None
    place, weight = places[0], known[1:] * np.array([habit.weight_on(day, memory) for habit in habits.kept])
    slopes = shelf.similar[places[1:], place].toarray().ravel() if habits.kept else np.empty(0)
    itself = np.array([habit.item == item for habit in habits.kept], bool)
    parts = weight * np.where(itself, shelf.again[place], slopes)
    popular, together = float(shelf.popular[place]), float(parts[~itself].sum())
    total = popular + float(parts.sum())
    if total <= 0:
        return None
    own = float(parts[itself].sum())
    if popular >= max(own, together):
        return Reason(item, None, popular / total, day)
    if own >= together:
        return Reason(item, habits.kept[int(np.argmax(itself))], own / total, day)
    strongest = int(np.argmax(np.where(itself, -1.0, parts)))
    return Reason(item, habits.kept[strongest], together / total, day)


def _bought(habit: Habit, day: int) -> str:
    ago = _span(day - habit.last)
    last = f"last {ago} ago" if ago else "last today"
    if habit.times == 1:
        return f"bought once, {ago} ago" if ago else "bought today"
    usual = _span(habit.interval or 0.0)
    often = f", usually every {usual.removeprefix('1 ')}" if usual else ""
    return f"bought {habit.times:,} times{often}, {last}"


def _span(days: float) -> str:
    """Empty for less than a day."""
    number, unit = days, "day"
    if days >= 2 * MONTH:
        number, unit = days / MONTH, "month"
    elif days >= 14:
        number, unit = days / 7, "week"
    whole = round(number)
    return "" if whole < 1 else f"{whole} {unit}" + ("s" if whole > 1 else "")
