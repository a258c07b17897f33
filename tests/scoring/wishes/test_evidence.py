"""Evidence of the base: sums that changes add up to, whatever happened in between, and their bounds."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.wishes.evidence import MASK, SHIFT, Evidence
from services.scoring.domain.wishes.habits import Basket, Habits, Memory
from services.scoring.domain.wishes.profiles import Profiles
from tests.scoring.wishes.baskets import ITEMS, on

MEMORY = Memory(half_life=100.0, capacity=ITEMS)
NOBODY = Habits()
baskets = st.builds(Basket, st.integers(0, 700), st.frozensets(st.integers(0, ITEMS - 1), min_size=1, max_size=5))
events = st.lists(st.tuples(st.integers(0, 2), baskets), max_size=20)


def of(base: Sequence[Habits], breadth: int = ITEMS) -> Evidence:
    return Evidence.of(Profiles.of([habits.pack() for habits in base]), MEMORY, breadth)


def moved(before: Habits, after: Habits, breadth: int = ITEMS) -> Evidence:
    return Evidence.moved(before, after, MEMORY, breadth)


def total(parts: Sequence[Evidence]) -> Evidence:
    return Evidence.total(parts, MEMORY)


def tables(evidence: Evidence) -> tuple[dict[int, list[float]], dict[tuple[int, int], float]]:
    one, two = evidence.ends
    return (
        dict(zip(evidence.items.tolist(), evidence.sums.tolist(), strict=True)),
        dict(zip(zip(one.tolist(), two.tolist(), strict=True), evidence.together.tolist(), strict=True)),
    )


def same(one: Evidence, other: Evidence) -> bool:
    """On the same day, up to rounding and to what has faded to nothing."""
    day = max(one.day, other.day)
    (items, pairs), (others, other_pairs) = tables(one.on(day, MEMORY)), tables(other.on(day, MEMORY))
    return all(
        items.get(item, [0.0] * 3) == pytest.approx(others.get(item, [0.0] * 3), abs=1e-7)
        for item in items.keys() | others.keys()
    ) and all(
        pairs.get(pair, 0.0) == pytest.approx(other_pairs.get(pair, 0.0), abs=1e-7)
        for pair in pairs.keys() | other_pairs.keys()
    )


@settings(deadline=None)
@given(events=events, data=st.data())
def test_changes_in_any_order_and_grouping_add_up_to_the_base(
    events: list[tuple[int, Basket]], data: st.DataObject
) -> None:
    states, changes = dict.fromkeys(range(3), NOBODY), []
    for customer, basket in data.draw(st.permutations(events)):
        after = states[customer].plus(Habits.once(basket), MEMORY)
        changes.append(moved(states[customer], after))
        states[customer] = after
    middle = data.draw(st.integers(0, len(changes)))
    expected = of([Habits.of([basket for one, basket in events if one == customer], MEMORY) for customer in range(3)])
    assert same(total(changes), expected)
    assert same(total([total(changes[middle:]), total(changes[:middle])]), expected)


@settings(deadline=None)
@given(events)
def test_customers_found_to_be_one_count_as_one(events: list[tuple[int, Basket]]) -> None:
    one, other, third = (
        Habits.of([basket for owner, basket in events if owner == customer], MEMORY) for customer in range(3)
    )
    union = one.plus(other, MEMORY)
    merge = [moved(one, NOBODY), moved(other, NOBODY), moved(NOBODY, union)]
    assert same(total([of([one, other, third]), *merge]), of([union, third]))


def test_in_one_basket_two_products_count_in_full_a_half_life_apart_half() -> None:
    _, pairs = tables(of([Habits.of([on(100, 1, 2)], MEMORY), Habits.of([on(0, 1), on(100, 3)], MEMORY)]))
    assert pairs[1, 2] == 1.0
    assert pairs[1, 3] == 0.5


def test_popularity_fades_and_its_pairs_fade_twice_as_fast_but_counts_stay() -> None:
    later = of([Habits.of([on(0, 1, 2), on(0, 1)], MEMORY)]).on(100, MEMORY)
    items, pairs = tables(later)
    assert items == {1: [1.0, 1.0, 1.0], 2: [0.5, 1.0, 0.0]}
    assert pairs == {(1, 1): 1.0, (1, 2): 0.5, (2, 2): 0.25}


def test_an_event_moves_no_more_pairs_than_the_breadth_allows() -> None:
    memory = Memory(100.0, 500)
    before = Habits.of([on(day, *range(day, day + 50)) for day in range(200)], memory)
    after = before.plus(Habits.once(on(300, *range(1000, 1200))), memory)
    change = Evidence.moved(before, after, memory, 10)
    assert len(change.items) <= 20
    assert len(change.pairs) <= 20 * 21 // 2


def test_of_a_broad_customer_the_same_items_count_in_a_sweep_and_in_a_change() -> None:
    base = [Habits.of([on(day, day % 5, (3 * day) % 7) for day in range(start, 40)], MEMORY) for start in (0, 20, 33)]
    assert same(total([moved(NOBODY, habits, 3) for habits in base]), of(base, 3))


def test_trimmed_the_heaviest_stay_and_the_rest_is_accounted_for() -> None:
    random = np.random.default_rng(2)
    base = [Habits.of([on(0, *random.geometric(0.3, 4).tolist())], Memory(100.0, 99)) for _ in range(300)]
    whole = of(base, 99)
    small = whole.trimmed(items=6, partners=2)
    assert len(small.items) == 6
    assert small.sums[:, 0].min() >= np.delete(whole.sums[:, 0], np.searchsorted(whole.items, small.items)).max()
    assert len(small.pairs) <= 6 + 6 * 2
    one, two = small.ends
    assert set(small.items[:6].tolist()) == set(one[one == two].tolist())
    assert small.lost[0] + small.sums[:, 0].sum() == pytest.approx(whole.sums[:, 0].sum())
    assert small.lost[1] + small.together.sum() == pytest.approx(whole.together.sum())
    for item in small.items.tolist():
        ends = [(weight, pair) for pair, weight in tables(small)[1].items() if item in pair and pair[0] != pair[1]]
        known = set(small.items.tolist())
        every = [
            w for pair, w in tables(whole)[1].items() if item in pair and len(set(pair)) == 2 and set(pair) <= known
        ]
        assert sorted([weight for weight, _ in ends])[-2:] == sorted(every)[-2:]


def test_packed_and_unpacked_is_the_same() -> None:
    evidence = of([Habits.of([on(5, 2**31 - 1, 7), on(9, 7)], MEMORY)]).trimmed(2, 1)
    again = Evidence.unpack(evidence.pack())
    assert tables(again) == tables(evidence)
    assert (again.day, again.lost) == (evidence.day, evidence.lost)
    assert (evidence.pairs >> SHIFT).tolist() == [7, 7, 2**31 - 1]
    assert (evidence.pairs & MASK).tolist() == [7, 2**31 - 1, 2**31 - 1]


def test_without_customers_there_is_no_evidence() -> None:
    nothing = total([of([]), of([NOBODY]), moved(NOBODY, NOBODY)])
    assert not len(nothing.items)
    assert not len(nothing.trimmed(5, 5).pairs)
    assert not len(Evidence.unpack(nothing.pack()).pairs)
