"""Quintiles from counts: equal to those of a full sort, blind to the passing of time, and sensible where many are alike."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import numpy as np
from datasketches import kll_doubles_sketch
from hypothesis import given, settings, strategies as st
from scipy.stats import rankdata

from services.scoring.domain.bands import Codes
from services.scoring.domain.fitting import Floats
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.rfm import SEGMENTS, Base, Quintiles, cells, moves, named
from tests.scoring.orders import START, orders, synthetic_base


def of(base: Sequence[Purchases]) -> Base:
    return Base().plus(moves((Purchases(), purchases) for purchases in base))


def codes(base: Sequence[Purchases]) -> Codes:
    return Quintiles(of(base)).codes(cells(base))


def bought(times: int, last: int = 0, spend: str = "10") -> Purchases:
    """So many purchase days, the last of them so many days after the start."""
    return Purchases.of(Order(START + timedelta(days=last - n), Decimal(spend)) for n in range(times))


def frequencies(base: Sequence[Purchases]) -> dict[int, int]:
    return {p.frequency + 1: int(code) for p, code in zip(base, codes(base)[:, 1], strict=True)}


def exact_codes(values: Floats) -> Floats:
    """From midranks by a full sort."""
    midranks = (rankdata(values, method="average") - 0.5) / len(values)
    exact: Floats = np.minimum(np.floor(midranks * 5 + 1e-9) + 1, 5)
    return exact


def test_codes_are_those_of_a_full_sort_but_for_customers_in_the_cell_of_an_edge() -> None:
    base, _ = synthetic_base(3_000, 800, seed=4)
    found = codes(base)
    last_day, x, money = np.array([(p.days[-1].day, p.frequency, p.micros) for p in base], dtype=float).T
    assert (found[:, 0] == exact_codes(last_day)).all()
    often = (x > 0) & (x <= 10)
    assert (found[often, 1] == exact_codes(x)[often]).all()
    assert np.mean(found[:, 2] != exact_codes(money)) < 0.01


def test_the_share_below_a_customer_agrees_with_a_kll_sketch_of_the_final_states() -> None:
    base, _ = synthetic_base(3_000, 800, seed=6)
    money, sketch = np.array([p.micros / 1e6 for p in base]), kll_doubles_sketch(200)
    sketch.update(money)
    ranks = Quintiles(of(base)).ranks(cells(base)).money
    bound = sketch.normalized_rank_error(False) + 0.01
    assert max(abs(sketch.get_rank(m) - rank) for m, rank in zip(money[::10], ranks[::10], strict=True)) < bound


def test_every_fifth_has_a_fifth_of_a_base_without_ties() -> None:
    base = [bought(2 + n % 50, last=n, spend=f"{10 + n}") for n in range(1_000)]
    found = codes(base)
    assert np.bincount(found[:, 0], minlength=6).tolist() == [0, 200, 200, 200, 200, 200]
    assert np.abs(np.bincount(found[:, 2], minlength=6)[1:] - 200).max() <= 40


def test_where_sixty_percent_bought_once_they_are_one_and_the_others_stand_above() -> None:
    base = [bought(1)] * 60 + [bought(2)] * 20 + [bought(3)] * 12 + [bought(9)] * 8
    assert frequencies(base) == {1: 1, 2: 4, 3: 5, 9: 5}


def test_where_ninety_percent_bought_twelve_times_they_are_the_middle_and_not_the_bottom() -> None:
    base = [bought(1)] * 2 + [bought(11)] * 3 + [bought(12)] * 90 + [bought(20)] * 5
    assert frequencies(base) == {1: 1, 11: 1, 12: 3, 20: 5}


def test_where_all_are_alike_all_are_in_the_middle_and_nobody_came_back() -> None:
    assert codes([bought(1)] * 10).tolist() == [[3, 1, 3]] * 10
    assert codes([bought(4)] * 10).tolist() == [[3, 3, 3]] * 10


def test_an_empty_base_places_anybody_in_its_middle() -> None:
    assert Quintiles(Base()).codes(cells([bought(3)])).tolist() == [[3, 3, 3]]
    assert cells([]).shape == (0, 3)
    assert moves([(Purchases(), Purchases())]).shape == (0, 4)


@settings(deadline=None, max_examples=60)
@given(events=st.lists(st.tuples(st.integers(0, 3), orders), max_size=30), data=st.data())
def test_any_order_of_events_and_batches_gives_the_base_of_the_final_states(
    events: list[tuple[int, Order]], data: st.DataObject
) -> None:
    states, base = dict.fromkeys(range(4), Purchases()), Base()
    for customer, order in data.draw(st.permutations(events)):
        after = states[customer].plus(Purchases.of([order]))
        base, states[customer] = base.plus(moves([(states[customer], after)])), after
    assert base.pack() == of([purchases for purchases in states.values() if purchases.days]).pack()
    assert Base.unpack(base.pack()).pack() == base.pack()


def test_two_customers_found_to_be_one_leave_the_base_of_one() -> None:
    left, right, other = bought(3), bought(2, last=40), bought(5, last=9)
    merged = left.plus(right)
    base = of([left, right, other]).plus(moves([(left, merged), (right, Purchases())]))
    assert base.pack() == of([merged, other]).pack()
    apart = base.plus(moves([(merged, left), (Purchases(), right)]))
    assert apart.pack() == of([left, right, other]).pack()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.builds(bought, st.integers(1, 30), st.integers(0, 300), st.sampled_from(["1", "9.99", "500"])), min_size=1
    )
)
def test_who_bought_later_oftener_or_more_never_has_a_lower_code(base: list[Purchases]) -> None:
    found = codes(base).astype(int)
    for column, trait in enumerate(cells(base).T):
        order = np.argsort(trait)
        assert (np.diff(found[order, column]) >= 0).all()
        assert found[:, column].min() >= 1
        assert found[:, column].max() <= 5


def test_a_customer_on_the_edge_of_a_quintile_does_not_flap_while_others_come_and_go() -> None:
    base = [bought(2, last=n) for n in range(100)]
    customer = cells([bought(2, last=80)])
    told = Quintiles(of(base)).codes(customer)
    assert told[0, 0] == 5
    one_more = of([*base, bought(2, last=99)])
    assert Quintiles(one_more).codes(customer)[0, 0] == 4
    assert Quintiles(one_more).codes(customer, told).tolist() == told.tolist()
    many_more = of([*base, *[bought(2, last=99)] * 10])
    assert Quintiles(many_more).codes(customer, told)[0, 0] == 4
    assert Quintiles(many_more).codes(customer, np.zeros((1, 3), np.int8))[0, 0] == 4


def test_a_synthetic_shop_has_customers_in_every_segment() -> None:
    base, _ = synthetic_base(3_000, 800, seed=4)
    share = np.bincount(named(codes(base)), minlength=11) / 3_000
    assert dict(zip(SEGMENTS, share > 0.002, strict=True)) == dict.fromkeys(SEGMENTS, True)
