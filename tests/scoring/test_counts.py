"""Forecasts in whole purchases: the most probable ones, as many as are expected, from distributions that add up."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.counts import AtLeast, poisson, whole_purchases
from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.pareto_nbd import ParetoNbd
from services.scoring.domain.peer_counts import peer_at_least
from services.scoring.domain.peers import BgNbd

X, T_X, AGE = np.array([0.0, 0, 1, 4, 30]), np.array([0.0, 0, 5, 30, 38]), np.array([39.0, 10, 39, 39, 39])
BG, PARETO = BgNbd(0.2426, 4.4136, 0.7929, 2.4259), ParetoNbd(0.5533, 10.5777, 0.6062, 11.6688)


def summed(at_least: AtLeast, customers: int, until: int = 600) -> Floats:
    everybody = np.arange(customers)
    total: Floats = np.sum([at_least(float(n), everybody) for n in range(1, until)], axis=0)
    return total


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("loyal", [0.0, 0.2])
def test_the_probabilities_of_ours_add_up_to_the_expectation(k: int, loyal: float) -> None:
    model = MbgCnbd(k, 0.6, 7.0, 0.9, 1.6, loyal)
    ahead = np.array([39.0, 20, 39, 60, 39])
    reached = model.at_least(X, T_X, AGE, ahead)
    assert summed(reached, 5) == pytest.approx(model.expected_purchases(X, T_X, AGE, ahead), rel=1e-6)
    assert reached(1.0, np.arange(5)) == pytest.approx(1 - model.p_no_purchase(X, T_X, AGE, ahead), abs=1e-12)


@pytest.mark.parametrize("model", [BG, PARETO])
def test_the_probabilities_of_others_add_up_to_their_expectation(model: BgNbd | ParetoNbd) -> None:
    reached = peer_at_least(model, X, T_X, AGE, 39.0)
    assert summed(reached, 5) == pytest.approx(model.expected_purchases(X, T_X, AGE, 39.0), rel=1e-3)
    assert reached(1.0, np.arange(5)) == pytest.approx(1 - model.p_no_purchase(X, T_X, AGE, 39.0), abs=1e-4)


def test_everybody_has_one_horizon_or_their_own() -> None:
    model = MbgCnbd(1, 0.6, 7.0, 0.9, 1.6)
    alike, own = model.expected_purchases(X, T_X, AGE, 39.0), model.expected_purchases(X, T_X, AGE, np.full(5, 39.0))
    assert own.tolist() == alike.tolist()


def test_the_likeliest_purchases_are_taken() -> None:
    certain, likely, hardly = 3.0, 0.9, 0.1
    table = np.array([[1, 1, certain - 2, 0.2], [likely, 0.3, 0, 0], [hardly, 0, 0, 0]])

    def at_least(n: float, whose: np.ndarray) -> Floats:
        found: Floats = table[whose, int(n) - 1] if n <= 4 else np.zeros(len(whose))
        return found

    assert whole_purchases(at_least, 3, 4.0).tolist() == [3, 1, 0]
    assert whole_purchases(at_least, 3, 5.2).tolist() == [3, 2, 0]
    assert whole_purchases(at_least, 3, 0.0).tolist() == [0, 0, 0]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.01, 40.0), min_size=1, max_size=60, unique=True))
def test_the_total_is_kept_and_more_is_never_given_to_who_is_expected_to_buy_less(rates: list[float]) -> None:
    expected = np.sort(np.array(rates))
    whole = whole_purchases(poisson(expected), len(expected), float(expected.sum()))
    assert np.all(np.diff(whole) >= 0)
    # One step of the quantile may give every customer one more.
    assert abs(whole.sum() - expected.sum()) <= len(expected)


def test_no_forecast_of_that_total_in_whole_purchases_errs_less() -> None:
    random = np.random.default_rng(8)
    expected = random.gamma(0.5, 2.0, 4_000)
    came = random.poisson(expected).astype(float)
    whole = whole_purchases(poisson(expected), 4_000, float(expected.sum()))
    others = (random.permutation(whole), np.floor(expected + random.random(4_000)))
    assert whole.sum() == pytest.approx(expected.sum(), rel=0.01)
    assert all(np.abs(whole - came).mean() < np.abs(other - came).mean() for other in others)
    assert np.abs(whole - came).mean() < np.abs(expected - came).mean()


def test_thousands_of_purchases_and_nobody_at_all_are_no_trouble() -> None:
    heavy = np.array([0.0, 3_000.0])
    assert whole_purchases(poisson(heavy), 2, 3_000.0) == pytest.approx(heavy, rel=0.02)
    assert whole_purchases(poisson(np.zeros(0)), 0, 0.0).tolist() == []
