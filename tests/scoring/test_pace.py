"""Customers' own pace: found where it is, not where it is not, and never able to move a total or anybody far."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from services.scoring.domain.fitting import Floats
from services.scoring.domain.pace import FASTEST, Lookback, Pace, fit_pace, told, traits


def lookback(coefficients: tuple[float, float], customers: int, seed: int) -> Lookback:
    """What comes when the pace is so, and the model knows everything but that."""
    random = np.random.default_rng(seed)
    facts = random.normal(size=(customers, 2)) * (0.4, 0.8)
    expected = random.gamma(0.7, 1.0, customers)
    came = random.poisson(expected * np.exp(facts @ np.array(coefficients))).astype(float)
    return Lookback(facts, expected, np.ones(customers), came)


def test_a_pace_that_is_there_is_found_and_tells() -> None:
    pace = fit_pace([lookback((-0.4, 0.2), 20_000, seed=1)])
    assert (pace.trend, pace.money) == pytest.approx((-0.4, 0.2), abs=0.04)
    assert told(pace, lookback((-0.4, 0.2), 20_000, seed=2)) > 50


def test_where_there_is_none_next_to_none_is_found() -> None:
    pace = fit_pace([lookback((0.0, 0.0), 20_000, seed=3)])
    assert (pace.trend, pace.money) == pytest.approx((0.0, 0.0), abs=0.04)


def test_few_purchases_move_it_little_and_none_not_at_all() -> None:
    few = lookback((-0.4, 0.2), 60, seed=4)
    assert abs(fit_pace([few]).trend) < 0.3
    nobody = Lookback(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0))
    for nothing in ([], [nobody], [Lookback(few.traits, few.expected, few.elasticity, np.zeros(60))]):
        assert fit_pace(nothing) == Pace(0.0, 0.0)
    assert told(Pace(1.0, 1.0), nobody) == 0.0


def test_the_same_window_told_twice_counts_once() -> None:
    one = lookback((-0.4, 0.2), 3_000, seed=5)
    assert vars(fit_pace([one, one])) == pytest.approx(vars(fit_pace([one])))


def test_a_total_that_was_wrong_says_nothing_about_the_pace() -> None:
    one = lookback((-0.4, 0.2), 3_000, seed=6)
    twice = Lookback(one.traits, 2.0 * one.expected, one.elasticity, one.came)
    assert vars(fit_pace([twice])) == pytest.approx(vars(fit_pace([one])))


def test_a_last_gap_shorter_than_usual_is_a_trend_and_money_tells_of_the_unknown() -> None:
    x, t_x, age = np.array([0.0, 3, 3, 3]), np.array([0.0, 30, 30, 30]), np.full(4, 40.0)
    found = traits(x, t_x, age, np.array([0.0, 2, 10, 20]), np.array([50.0, 10, 10, 10]))
    assert found[0, 0] == 0.0
    assert found[:, 0].tolist() == pytest.approx([0.0, *np.log(np.array([12, 20, 30]) / 20)])
    assert found[:, 1] == pytest.approx([np.log(5), 0, 0, 0])


Money = arrays.arrays(np.float64, 6, elements=st.floats(-1e12, 1e12))


@settings(max_examples=60, deadline=None)
@given(Money, arrays.arrays(np.float64, 6, elements=st.floats(0, 1e4)), st.floats(-5, 5), st.floats(-5, 5))
def test_whatever_was_paid_nobody_is_moved_far(money: Floats, gaps: Floats, trend: float, worth: float) -> None:
    x = np.array([0.0, 0, 1, 2, 50, 5_000])
    t_x = np.where(x > 0, np.maximum(gaps, 1.0) * x, 0.0)
    facts = traits(x, t_x, t_x + 1.0, gaps, money)
    assert np.isfinite(facts).all()
    factor = Pace(trend, worth).of(facts, x + 0.5)
    assert np.all((factor >= 1 / FASTEST - 1e-12) & (factor <= FASTEST + 1e-12))
