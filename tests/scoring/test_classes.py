"""Pareto classes from cells of profit, held against a full sort, with loss makers, ties and enormous currencies."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.classes import (
    A_SHARE,
    B_SHARE,
    CLASSES,
    Attention,
    Care,
    Cuts,
    ProfitBase,
    neglected,
    whale_curve,
)
from services.scoring.domain.histogram import Ints
from services.scoring.domain.money_cells import cells_of, least_of

profits = st.lists(st.integers(-(10**12), 10**12) | st.integers(-200, 200), max_size=60)


def base(micros: Ints) -> ProfitBase:
    return ProfitBase().plus(np.ones_like(micros), micros)


def of(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def exact_cuts(micros: Ints) -> tuple[int, int]:
    """By sorting: the profit of the customer with whom the share is reached."""
    best = sorted((int(profit) for profit in micros if profit > 0), reverse=True)
    earned = np.cumsum(np.array(best, dtype=object))
    a, b = (
        next(profit for profit, sum_ in zip(best, earned, strict=True) if sum_ >= share * earned[-1] * (1 - 1e-12))
        for share in (A_SHARE, B_SHARE)
    )
    return a, b


def a_shop(customers: int = 20_000, seed: int = 1) -> Ints:
    """Log-normal earnings less a cost of serving that is the same for all: more than half bring losses."""
    random = np.random.default_rng(seed)
    return np.round((random.lognormal(3, 1.5, customers) - 25.0) * 1e6).astype(np.int64)


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_a_cell_begins_with_its_least_amount_and_is_a_hundredth_wide(micros: int) -> None:
    cell = int(cells_of(of([micros]))[0])
    assert least_of(cell) <= micros
    assert cells_of(of([least_of(cell), least_of(cell) - 1])).tolist() == [cell, cell - 1]
    assert micros - least_of(cell) <= 0.01 * abs(micros)
    assert int(cells_of(of([-micros]))[0]) == -cell


@settings(deadline=None)
@given(profits)
def test_cuts_are_at_most_one_percent_below_the_exact_ones_and_never_above(values: list[int]) -> None:
    micros = of(values)
    if not (micros > 0).any():
        assert base(micros).cuts() == Cuts(0, 0)
        return
    found, exact = base(micros).cuts(), exact_cuts(micros)
    for cut, true in zip((found.a, found.b), exact, strict=True):
        assert 0.99 * true <= cut <= true


def test_cuts_of_a_large_base_are_within_one_percent() -> None:
    micros = a_shop()
    found, exact = base(micros).cuts(), exact_cuts(micros)
    assert 0.99 * exact[0] <= found.a <= exact[0]
    assert 0.99 * exact[1] <= found.b <= exact[1]


def test_the_classes_carry_what_their_names_promise() -> None:
    micros = a_shop()
    codes = base(micros).cuts().classes(micros)
    earned = {name: float(micros[codes == code].sum()) for code, name in enumerate(CLASSES)}
    together = earned["A"] + earned["B"] + earned["C"]
    assert earned["A"] / together == pytest.approx(0.80, abs=0.003)
    assert earned["B"] / together == pytest.approx(0.15, abs=0.003)
    assert earned["L"] < 0
    assert ((codes == CLASSES.index("L")) == (micros < 0)).all()


@settings(deadline=None, max_examples=200)
@given(profits, profits, st.randoms(use_true_random=False))
def test_moves_in_any_order_and_batches_give_the_base_that_is_left(
    stay: list[int], leave: list[int], random: Random
) -> None:
    moves = [(1, value) for value in stay + leave] + [(-1, value) for value in leave]
    random.shuffle(moves)
    bit_by_bit = ProfitBase()
    for begin in range(0, len(moves), 7):
        signs, micros = of([sign for sign, _ in moves[begin : begin + 7]]), of([m for _, m in moves[begin : begin + 7]])
        bit_by_bit = bit_by_bit.plus(signs, micros)
    assert bit_by_bit.pack() == base(of(stay)).pack()
    assert bit_by_bit.customers == len(stay)
    assert bit_by_bit.micros == sum(stay)


def test_a_customer_may_be_taken_away_before_being_added_while_another_is_in_the_same_cell() -> None:
    one, other = of([100_000_000]), of([100_000_001])
    assert cells_of(one) == cells_of(other)
    took_first = base(one).plus(of([-1]), other).plus(of([1]), other)
    assert took_first.pack() == base(one).pack()


@given(profits)
def test_packed_and_unpacked_is_the_same(values: list[int]) -> None:
    made = base(of(values))
    assert ProfitBase.unpack(made.pack()).pack() == made.pack()


def test_sums_beyond_64_bits_are_exact() -> None:
    rupiah = np.full(1_000, 10**18 - 1, dtype=np.int64)
    assert base(rupiah).micros == 1_000 * (10**18 - 1)


def test_customers_with_the_same_profit_are_all_in_the_best_class() -> None:
    alike = np.full(50, 9_990_000, dtype=np.int64)
    assert set(base(alike).cuts().classes(alike).tolist()) == {CLASSES.index("A")}


def test_a_base_of_nothing_but_losses_and_zeros_has_no_a_and_no_b() -> None:
    micros = of([-5_000_000, 0, -1])
    classes = [CLASSES[code] for code in base(micros).cuts().classes(micros)]
    assert classes == ["L", "C", "L"]


def test_a_customer_on_the_cut_keeps_the_class_until_it_is_clearly_left() -> None:
    cuts, told = Cuts(a=100_000_000, b=10_000_000), np.array([CLASSES.index("A")], np.int8)
    assert CLASSES[cuts.classes(of([99_000_000]))[0]] == "B"
    assert CLASSES[cuts.classes(of([96_000_000]), told)[0]] == "A"
    assert CLASSES[cuts.classes(of([94_000_000]), told)[0]] == "B"
    assert CLASSES[cuts.classes(of([-1]), np.array([CLASSES.index("C")], np.int8))[0]] == "L"


def test_the_whale_curve_rises_above_the_profit_that_loss_makers_leave() -> None:
    micros = a_shop()
    curve = base(micros).whale_curve()
    assert curve.percent is not None
    assert curve.percent[0] == 0
    assert curve.percent[-1] == pytest.approx(100)
    assert curve.percent.max() > 115
    customers, money = curve.peak
    assert customers == pytest.approx((micros > 0).mean())
    assert money == pytest.approx(micros[micros > 0].sum() / 1e6)


@settings(deadline=None)
@given(profits)
def test_the_whale_curve_from_cells_lies_on_the_exact_one(values: list[int]) -> None:
    micros = of(values)
    curve, exact = base(micros).whale_curve(), whale_curve(micros / 1e6)
    at = np.round(curve.customers * len(values)).astype(int)
    assert curve.money == pytest.approx(exact.money[at], rel=1e-9, abs=1e-3)
    assert (curve.percent is None) == (sum(values) <= 0)


def test_without_losses_the_whale_curve_never_exceeds_the_whole() -> None:
    curve = base(np.abs(a_shop()) + 1).whale_curve()
    assert curve.percent is not None
    assert curve.percent.max() == pytest.approx(100)


def test_neglected_is_who_is_worth_it_is_here_and_hears_nothing() -> None:
    codes = np.array([CLASSES.index(name) for name in "AAACCLA"], np.int8)
    care = Care(
        classes=codes,
        tenure=np.array([100.0, 100, 100, 900, 900, 900, 100]),
        p_alive=np.array([0.9, 0.9, 0.2, 0.9, 0.9, 0.9, 0.9]),
        contacts=np.array([0.0, 9, 0, 0, 5, 0, 1]),
        since_contact=np.array([np.inf, 200, np.inf, np.inf, 20, np.inf, 20]),
    )
    assert neglected(care, Attention()).tolist() == [True, True, False, True, False, False, True]
    nobody = replace(care, contacts=np.full(7, 9.0), since_contact=np.full(7, 3.0))
    assert not neglected(nobody, Attention()).any()
