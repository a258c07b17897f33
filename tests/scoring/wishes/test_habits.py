"""Habits: the same after any order and merge, exact by the definition, and never larger than allowed."""

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.wishes.habits import RECORD, Basket, Habit, Habits, Memory
from tests.scoring.wishes.baskets import LONG, alike, baskets, on, weight_of

SHORT = Memory(half_life=30.0, capacity=3)
events = st.lists(baskets, max_size=25)


@given(events=events, data=st.data())
def test_any_order_of_events_gives_the_same_state(events: list[Basket], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    assert alike(Habits.of(shuffled, LONG), Habits.of(events, LONG))


@given(events=events, owners=st.lists(st.booleans(), min_size=25, max_size=25))
def test_two_customers_found_to_be_one_are_as_if_they_always_were(events: list[Basket], owners: list[bool]) -> None:
    theirs = [event for event, first in zip(events, owners, strict=False) if first]
    others = [event for event, first in zip(events, owners, strict=False) if not first]
    one, other = Habits.of(theirs, LONG), Habits.of(others, LONG)
    assert alike(one.plus(other, LONG), Habits.of(events, LONG))
    assert alike(other.plus(one, LONG), Habits.of(events, LONG))


@given(events)
def test_weights_are_those_of_the_definition(events: list[Basket]) -> None:
    habits = Habits.of(events, LONG)
    for habit in habits.kept:
        expected = weight_of(habit.item, events, habits.day, 30.0)
        assert habit.weight_on(habits.day, LONG) == pytest.approx(expected, rel=1e-9)
        days = [event.day for event in events if habit.item in event.items]
        assert (habit.times, habit.first, habit.last) == (len(days), min(days), max(days))


@given(events)
def test_the_state_is_bounded_whatever_comes(events: list[Basket]) -> None:
    habits = Habits.of(events, SHORT)
    assert len(habits.kept) <= 3
    assert len(habits.pack()) <= RECORD.size * (1 + 3)


@given(events=events, data=st.data())
def test_beyond_the_capacity_kept_and_lost_still_add_up_to_all(events: list[Basket], data: st.DataObject) -> None:
    habits = Habits.of(data.draw(st.permutations(events)), SHORT)
    everything = sum(weight_of(item, events, habits.day, 30.0) for item in range(8))
    assert habits.weight_on(habits.day, SHORT) == pytest.approx(everything, rel=1e-9)


@given(events=events, data=st.data())
def test_beyond_the_capacity_a_weight_is_short_by_at_most_what_was_lost(
    events: list[Basket], data: st.DataObject
) -> None:
    habits = Habits.of(data.draw(st.permutations(events)), SHORT)
    for habit in habits.kept:
        kept, true = habit.weight_on(habits.day, SHORT), weight_of(habit.item, events, habits.day, 30.0)
        assert kept <= true * (1 + 1e-9)
        assert true <= (kept + habits.lost) * (1 + 1e-9)


@given(events)
def test_packed_and_unpacked_is_the_same(events: list[Basket]) -> None:
    habits = Habits.of(events, LONG)
    assert Habits.unpack(habits.pack()) == habits


def test_the_lightest_are_dropped_first() -> None:
    habits = Habits.of([on(0, 1), on(300, 2), on(310, 3), on(311, 3), on(312, 4)], SHORT)
    assert [habit.item for habit in habits.kept] == [2, 3, 4]
    assert [habit.item for habit in habits.heaviest(2, SHORT)] == [3, 4]


def test_what_was_lost_fades_like_what_is_kept() -> None:
    habits = Habits.of([on(0, 1, 2)], Memory(30.0, 1))
    assert habits.lost_on(0, SHORT) == 1.0
    assert habits.lost_on(60, SHORT) == 0.25
    assert habits.weight_on(60, SHORT) == 0.5


def test_equals_are_told_apart_by_their_number_however_they_were_summed() -> None:
    days = (3, 44, 101, 157)
    forth = Habits.of([on(day, *range(6)) for day in days], LONG)
    back = Habits.of([on(day, item) for item in reversed(range(6)) for day in reversed(days)], LONG)
    for habits in (forth, back):
        assert [habit.item for habit in habits.heaviest(3, LONG)] == [0, 1, 2]


def test_a_year_ago_counts_the_less_the_shorter_the_half_life() -> None:
    habit = Habit(1, 1, 0, 0, 1.0)
    assert habit.weight_on(365, Memory(365.0, 1)) == 0.5
    assert habit.weight_on(365, Memory(1.0, 1)) < 1e-100
    assert habit.weight_on(-1, Memory(1.0, 1)) == 1.0


def test_times_further_apart_than_any_clock_do_not_overflow() -> None:
    habits = Habits.of([on(-(2**31) + 1, 1, 2), on(2**31 - 1, 1)], Memory(0.5, 4))
    assert [habit.weight for habit in habits.kept] == [1.0, 1.0]
    assert Habits.unpack(habits.pack()) == habits


def test_the_usual_interval_needs_two_times() -> None:
    habits = Habits.of([on(0, 1, 2), on(20, 1), on(42, 1)], LONG)
    assert [habit.interval for habit in habits.kept] == [21.0, None]


@pytest.mark.parametrize(("half_life", "capacity"), [(0.0, 1), (-1.0, 1), (float("nan"), 1), (1.0, 0)])
def test_a_memory_that_remembers_nothing_is_refused(half_life: float, capacity: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Memory(half_life, capacity)
