"""The base's counts: the same after any history, and what they say of where a customer stands."""

import numpy as np
from hypothesis import given, settings, strategies as st

from services.scoring.domain import rfm
from services.scoring.domain.histogram import X_EDGES
from services.scoring.domain.population import Changes, Population, Ranked, Standing, changes
from services.scoring.domain.prediction import Histories
from services.scoring.domain.purchases import Order, Purchases
from tests.scoring.orders import orders, synthetic_base


def of(base: list[Purchases]) -> Population:
    return Population().plus([changes((Purchases(), purchases) for purchases in base)])


@settings(deadline=None)
@given(batches=st.lists(st.lists(st.tuples(st.integers(0, 3), orders), max_size=10), max_size=6), data=st.data())
def test_changes_in_any_order_add_up_to_the_base_as_it_is(
    batches: list[list[tuple[int, Order]]], data: st.DataObject
) -> None:
    states, made = dict.fromkeys(range(4), Purchases()), list[Changes]()
    for batch in batches:
        after = dict(states)
        for customer, order in batch:
            after[customer] = after[customer].plus(Purchases.of([order]))
        made.append(changes((states[c], after[c]) for c in states if after[c] != states[c]))
        states = after
    population = Population().plus(data.draw(st.permutations(made)))
    assert population.pack() == of([one for one in states.values() if one.days]).pack()
    assert Population.unpack(population.pack()).pack() == population.pack()


def test_a_customer_is_found_where_they_were_counted() -> None:
    base, _ = synthetic_base(300, 600, seed=2)
    histories = Histories.of(base)
    bought = np.searchsorted(X_EDGES, histories.x, side="right")
    assert (rfm.cells(base)[:, 1] == bought).all()
    standing = of(base).standing
    assert standing is not None
    ranked = histories.ranked(standing)
    micros = np.array([purchases.micros for purchases in base])
    exact = standing.of(rfm.cells(base), micros)
    assert (ranked.codes == exact.codes).all()
    assert (ranked.classes == exact.classes).all()


def test_places_are_packed_in_four_bytes() -> None:
    ranked = Ranked(np.array([[1, 5, 3], [0, 0, 0]], np.int8), np.array([3, -1], np.int8))
    assert [len(one) for one in ranked.pack()] == [4, 4]
    again = Ranked.unpack([ranked.pack()[0], None])
    assert not ranked.changed(again).any()
    assert ranked.changed(Ranked.nowhere(2)).tolist() == [True, False]


def test_a_standing_reads_back_as_it_was() -> None:
    base, _ = synthetic_base(50, 300, seed=2)
    standing = of(base).standing
    assert standing is not None
    again = Standing.unpack(standing.pack())
    histories = Histories.of(base)
    assert again.cuts == standing.cuts
    assert (histories.ranked(again).codes == histories.ranked(standing).codes).all()


def test_of_a_handful_of_customers_nobody_stands_anywhere() -> None:
    base, _ = synthetic_base(50, 300, seed=2)
    assert Population().standing is None
    assert of(base[:49]).standing is None
    assert of(base).standing is not None
