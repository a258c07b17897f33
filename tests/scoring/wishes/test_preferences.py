"""Preferences: said where the evidence is enough, and not where it is chance."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.wishes.habits import Habits, Memory
from services.scoring.domain.wishes.preferences import (
    WEEK_HOURS,
    hour_shares,
    interests,
    preferred_channel,
    preferred_hour,
)
from tests.scoring.wishes.baskets import on

MEMORY = Memory(180.0, WEEK_HOURS)
EMAIL, PHONE, SHOP = range(3)
TODAY = 100


def used(*items: int, day: int = TODAY) -> Habits:
    return Habits.of([on(day, item) for item in items], MEMORY)


def test_interests_are_shares_of_what_was_bought_lately() -> None:
    categories = Habits.of([on(0, 1), on(180, 2), on(180, 3), on(180, 3)], MEMORY)
    (first, most), (second, less) = interests(categories, 2, MEMORY)
    assert (first, second) == (3, 2)
    assert (most, less) == pytest.approx((2 / 3.5, 1 / 3.5))
    assert interests(Habits(), 2, MEMORY) == []


def test_three_contacts_to_none_make_a_preferred_channel_two_do_not() -> None:
    assert preferred_channel(used(PHONE, PHONE), TODAY, MEMORY) is None
    assert preferred_channel(used(PHONE, PHONE, PHONE), TODAY, MEMORY) == PHONE


def test_a_narrow_lead_is_no_preference() -> None:
    assert preferred_channel(used(*[PHONE] * 6, *[EMAIL] * 5), TODAY, MEMORY) is None
    assert preferred_channel(used(*[PHONE] * 9, *[EMAIL] * 2), TODAY, MEMORY) == PHONE
    assert preferred_channel(Habits(), TODAY, MEMORY) is None


def test_a_preference_fades_with_its_evidence() -> None:
    habits = used(PHONE, PHONE, PHONE)
    assert preferred_channel(habits, TODAY + 360, MEMORY) is None


def test_a_channel_that_was_dropped_might_have_been_the_second() -> None:
    narrow = Memory(180.0, 1)
    habits = Habits.of([on(TODAY, PHONE)] * 4 + [on(TODAY, EMAIL)] * 3, narrow)
    assert habits.lost == 3
    assert preferred_channel(habits, TODAY, narrow) is None


def test_a_habit_of_tuesday_evenings_is_found() -> None:
    hour = preferred_hour(used(*[24 + 19] * 4, 24 + 18, 24 + 20), TODAY, MEMORY)
    assert hour is not None
    assert (hour.weekday, hour.hour) == (1, 19)


def test_the_same_hour_on_many_days_is_a_habit_too() -> None:
    hour = preferred_hour(used(*(24 * day + 12 for day in range(7))), TODAY, MEMORY)
    assert hour is not None
    assert hour.hour == 12


def test_the_week_is_a_circle() -> None:
    sunday_night, monday_night = 6 * 24 + 23, 0
    counts = np.zeros(WEEK_HOURS)
    counts[[sunday_night, monday_night]] = 1.0
    shares = hour_shares(counts)
    assert shares[sunday_night] == pytest.approx(shares[monday_night])
    assert shares[1] == pytest.approx(shares[sunday_night - 1])
    assert shares[sunday_night] > shares[3] > shares[84]


def test_fewer_than_three_contacts_do_not_make_a_habit() -> None:
    assert preferred_hour(Habits(), TODAY, MEMORY) is None
    assert preferred_hour(used(43, 43), TODAY, MEMORY) is None
    assert preferred_hour(used(43, 43, 43), TODAY, MEMORY) is not None


def test_contacts_all_over_the_week_are_no_habit() -> None:
    assert preferred_hour(used(*range(0, WEEK_HOURS, 11)), TODAY, MEMORY) is None


@pytest.mark.parametrize("contacts", [3, 10, 40])
def test_contacts_at_any_hour_are_taken_for_a_habit_in_less_than_one_case_of_twenty(contacts: int) -> None:
    random = np.random.default_rng(4)
    found = sum(
        preferred_hour(used(*random.integers(0, WEEK_HOURS, contacts).tolist()), TODAY, MEMORY) is not None
        for _ in range(400)
    )
    assert found < 20


@given(st.lists(st.integers(0, WEEK_HOURS - 1), max_size=30))
def test_shares_of_the_hours_add_up_to_one(hours: list[int]) -> None:
    counts = np.bincount(np.array(hours, np.int64), minlength=WEEK_HOURS).astype(float)
    assert hour_shares(np.stack([counts, 2 * counts])).sum(axis=1) == pytest.approx([1.0, 1.0])
