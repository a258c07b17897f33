"""The histogram: the same counts after any history, and fits as good as those from rows."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.gamma_gamma import Spends, SpendsFit, fit_spends
from services.scoring.domain.histogram import Histogram, moves
from services.scoring.domain.mbg_nbd import Visits, VisitsFit, fit_visits
from services.scoring.domain.purchases import Order, Purchases, day_of
from tests.scoring.orders import orders, stories, synthetic_base


def of(base: list[Purchases]) -> Histogram:
    return Histogram().plus(moves((Purchases(), purchases) for purchases in base))


def same(left: Histogram, right: Histogram) -> bool:
    return left.pack() == right.pack()


@settings(deadline=None)
@given(events=st.lists(st.tuples(st.integers(0, 3), orders), max_size=40), data=st.data())
def test_any_order_of_events_and_batches_gives_the_histogram_of_the_final_states(
    events: list[tuple[int, Order]], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events))
    size = data.draw(st.integers(1, 10))
    states = dict.fromkeys(range(4), Purchases())
    histogram = Histogram()
    for begin in range(0, len(shuffled), size):
        changed = dict(states)
        for customer, order in shuffled[begin : begin + size]:
            changed[customer] = changed[customer].plus(Purchases.of([order]))
        histogram = histogram.plus(moves((states[c], changed[c]) for c in states if changed[c] != states[c]))
        states = changed
    assert same(histogram, of([purchases for purchases in states.values() if purchases.days]))
    assert histogram.customers == sum(1 for purchases in states.values() if purchases.days)


@settings(deadline=None)
@given(st.lists(orders, min_size=1, max_size=10))
def test_whoever_leaves_leaves_no_trace(batch: list[Order]) -> None:
    purchases = Purchases.of(batch)
    gone = of([purchases]).plus(moves([(purchases, Purchases())]))
    assert same(gone, Histogram())


@settings(deadline=None)
@given(story=stories(), data=st.data())
def test_returns_and_cancellations_leave_the_histogram_of_what_is_left(
    story: tuple[list[Order], list[Order]], data: st.DataObject
) -> None:
    told, left = story
    state, histogram = Purchases(), Histogram()
    for order in data.draw(st.permutations(told)):
        after = state.plus(Purchases.of([order]))
        state, histogram = after, histogram.plus(moves([(state, after)]))
    kept = Purchases.of(left)
    assert same(histogram, of([kept]) if kept.days else Histogram())


@settings(deadline=None)
@given(st.lists(st.lists(orders, min_size=1, max_size=5), max_size=10))
def test_packed_and_unpacked_is_the_same(customers: list[list[Order]]) -> None:
    histogram = of([Purchases.of(batch) for batch in customers])
    assert same(Histogram.unpack(histogram.pack()), histogram)


def test_moves_added_up_first_or_one_batch_after_the_other_are_the_same() -> None:
    base, _ = synthetic_base(500, 700, seed=3)
    rows = moves((Purchases(), purchases) for purchases in base)
    bit_by_bit = Histogram()
    for begin in range(0, len(rows), 37):
        bit_by_bit = bit_by_bit.plus(rows[begin : begin + 37])
    assert same(bit_by_bit, Histogram().plus(rows))


def test_a_fit_from_the_histogram_is_within_one_percent_of_the_fit_from_rows() -> None:
    base, now = synthetic_base(20_000, 5 * 365, seed=11)
    today, histogram = day_of(now), of(base)
    x, t_x, first, z = (
        np.array(column, dtype=float)
        for column in zip(*((p.frequency, p.recency, p.first_day, p.repeat_spend) for p in base), strict=True)
    )
    rows = fit_visits(Visits(x, t_x, today - first, np.ones_like(x)))
    cells = fit_visits(histogram.visits_at(today))
    assert isinstance(rows, VisitsFit)
    assert isinstance(cells, VisitsFit)
    assert len(histogram.visits.keys) < 10_000
    for name in ("r", "alpha", "a", "b"):
        assert getattr(cells.parameters, name) == pytest.approx(getattr(rows.parameters, name), rel=0.01), name

    spend_rows = fit_spends(Spends(x[z > 0], z[z > 0], np.ones(int((z > 0).sum()))))
    spend_cells = fit_spends(histogram.repeat_spends())
    assert isinstance(spend_rows, SpendsFit)
    assert isinstance(spend_cells, SpendsFit)
    for name in ("p", "q", "gamma"):
        assert getattr(spend_cells.parameters, name) == pytest.approx(getattr(spend_rows.parameters, name), rel=0.01)


def test_the_top_fifth_is_found_to_two_percent() -> None:
    base, _ = synthetic_base(5_000, 700, seed=5)
    exact = float(np.quantile([float(purchases.money) for purchases in base], 0.8))
    assert of(base).money_quantile(0.8) == pytest.approx(exact, rel=0.025)


def test_an_empty_base_has_no_quantile_and_no_customers() -> None:
    assert Histogram().money_quantile(0.8) == 0
    assert Histogram().customers == 0


def test_whoever_is_taken_away_before_they_are_added_leaves_no_trace_either() -> None:
    """Batches of changes are added up in any order, and two of one cell must not hide what is missing yet."""
    (one, two), _ = synthetic_base(2, 10, seed=3)
    two = Purchases(tuple(day._replace(day=one.first_day + 1) for day in two.days[:1]))
    one = Purchases(one.days[:1])
    added, taken, late = (moves([change]) for change in ((Purchases(), one), (two, Purchases()), (Purchases(), two)))
    in_between = Histogram().plus(added).plus(taken)
    assert in_between.visits_at(one.first_day + 10).customers.sum() in {0, 1}
    assert same(in_between.plus(late), of([one]))
