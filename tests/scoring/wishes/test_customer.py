"""A customer's wishes: all four habits together, in any order, merged, packed, bounded."""

from functools import reduce

import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.wishes.customer import Memories, Wishes
from services.scoring.domain.wishes.habits import Habits, Memory
from tests.scoring.wishes.baskets import alike

MEMORIES = Memories(products=Memory(60.0, 30), categories=Memory(120.0, 10), channels=Memory(180.0, 6))
TIGHT = Memories(Memory(60.0, 4), Memory(120.0, 3), Memory(180.0, 2), Memory(180.0, 5))
days = st.integers(0, 20_000)
purchases = st.builds(
    Wishes.of_purchase,
    days,
    st.frozensets(st.integers(0, 29), max_size=6),
    st.frozensets(st.integers(0, 9), max_size=3),
)
contacts = st.builds(Wishes.of_contact, days, st.integers(0, 5), st.integers(0, 167))
histories = st.lists(purchases | contacts, max_size=20)


def together(events: list[Wishes], memories: Memories = MEMORIES) -> Wishes:
    return reduce(lambda wishes, event: wishes.plus(event, memories), events, Wishes())


def same(one: Wishes, other: Wishes) -> bool:
    return all(map(alike, one.parts, other.parts))


@given(events=histories, cut=st.integers(0, 20), data=st.data())
def test_any_order_and_any_two_customers_found_to_be_one_give_the_same(
    events: list[Wishes], cut: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events))
    merged = together(shuffled[:cut]).plus(together(shuffled[cut:]), MEMORIES)
    assert same(merged, together(events))


@given(histories)
def test_packed_and_unpacked_is_the_same(events: list[Wishes]) -> None:
    wishes = together(events)
    assert Wishes(*(Habits.unpack(part.pack()) for part in wishes.parts)) == wishes


@given(histories)
def test_the_packed_state_is_bounded_whatever_comes(events: list[Wishes]) -> None:
    assert sum(len(part.pack()) for part in together(events, TIGHT).parts) <= 24 * (4 + 4 + 3 + 2 + 5)


def test_an_hour_that_no_week_has_is_refused() -> None:
    with pytest.raises(ValueError, match="168"):
        Wishes.of_contact(0, 1, 168)
