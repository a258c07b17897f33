"""Baskets to test with, and what states of the same events have in common."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import strategies as st

from services.scoring.domain.wishes.habits import Basket, Habits, Memory

ITEMS = 8
baskets = st.builds(Basket, st.integers(-500, 20_000), st.frozensets(st.integers(0, ITEMS - 1), min_size=1, max_size=5))
LONG = Memory(half_life=30.0, capacity=ITEMS)


def on(day: int, *items: int) -> Basket:
    return Basket(day, frozenset(items))


def alike(one: Habits, other: Habits) -> bool:
    """The same but for the rounding of weights."""
    return (
        one.day == other.day
        and [habit[:4] for habit in one.kept] == [habit[:4] for habit in other.kept]
        and [habit.weight for habit in one.kept] == pytest.approx([habit.weight for habit in other.kept], rel=1e-9)
        and one.lost == pytest.approx(other.lost, rel=1e-9)
    )


def weight_of(item: int, events: Sequence[Basket], day: int, half_life: float) -> float:
    """By the definition."""
    return sum([math.exp2(-(day - event.day) / half_life) for event in events if item in event.items])
