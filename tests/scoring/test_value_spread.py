"""Quantiles of the money to come hold as many simulated customers as they say, with a rhythm and without."""

import numpy as np
import pytest

from services.scoring.domain.discounted_sums import moments
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.residual import discounted_purchases
from services.scoring.domain.value_spread import ValueSpread
from tests.scoring.simulated import shop

SPENDS = GammaGamma(6.2496, 3.7442, 15.4435)
DISCOUNT = float(np.log(1.1)) / 365.25
OLDEST = 900.0
CUSTOMERS = 60_000
ENOUGH = 1_000
"""Customers of a kind to be judged by."""
OWN_ERROR = 0.01
"""Of the quadrature: what the module promises."""
BASES = {
    "bought-seldom": MbgNbd(0.5248, 43.3, 0.8914, 1.614),
    "lasting": MbgNbd(1.4, 40.0, 1.5, 18.0),
    "two-steps": MbgCnbd(2, 1.0, 40.0, 0.9, 1.6),
    "two-steps-lasting": MbgCnbd(2, 2.8, 40.0, 1.5, 18.0),
    "two-steps-loyal": MbgCnbd(2, 1.6, 50.0, 0.9, 2.5, 0.2),
    "two-steps-nobody-leaves": MbgCnbd(2, 0.8, 20.0, 0.0, 1.0),
    "three-steps": MbgCnbd(3, 1.5, 43.0, 0.9, 1.6),
    "three-steps-lasting": MbgCnbd(3, 4.2, 40.0, 1.5, 18.0),
    "three-steps-unlike": MbgCnbd(3, 0.8, 10.0, 0.9, 4.0),
}


@pytest.mark.parametrize("visits", BASES.values(), ids=BASES.keys())
def test_as_many_customers_stay_below_a_quantile_as_it_says(visits: Purchasing) -> None:
    """By number of purchases and by length of the silence, within four binomial errors of so many customers."""
    seen = shop(visits, SPENDS, DISCOUNT, CUSTOMERS, OLDEST, seed=29)
    left, judged = 1.0 - visits.p_alive(seen.x, seen.t_x, seen.age), 0
    silence = (seen.age - seen.t_x) / (visits.alpha + seen.age)
    levels = (0.1, 0.5, 0.9)
    spread = ValueSpread(visits, SPENDS, DISCOUNT, float(seen.x.max()), OLDEST)
    quantiles = spread.quantiles(seen.x, seen.t_x, seen.age, seen.spend, levels)
    for level, quantile in zip(levels, quantiles, strict=True):
        # Who may well have left for good has no quantile above nothing.
        there = left < 0.9 * level
        for bought in (seen.x == 0, (seen.x > 0) & (seen.x < 5), (seen.x >= 5) & (seen.x < 40), seen.x >= 40):
            kind = np.flatnonzero(there & bought)
            for some in np.array_split(kind[np.argsort(silence[kind])], 3):
                if len(some) >= ENOUGH:
                    judged += 1
                    error = 4.0 * np.sqrt(level * (1.0 - level) / len(some))
                    below = np.mean(seen.later_money[some] < quantile[some])
                    assert below == pytest.approx(level, abs=OWN_ERROR + error)
    assert judged >= 9


@pytest.mark.parametrize("number", [1, 2, 7])
@pytest.mark.parametrize(("k", "done"), [(1, 0), (2, 0), (3, 1), (3, 2)])
def test_moments_of_a_discounted_sum_are_those_of_its_purchases_one_by_one(k: int, done: int, number: int) -> None:
    rate, discounted, shape = 2.5, 0.3, 4.0
    step, square = rate / (rate + discounted), rate / (rate + 2.0 * discounted)
    taken = np.arange(1, number + 1) * k - done
    # Of two purchases the steps of the earlier one count for both.
    products = [[square ** min(one, other) * step ** abs(one - other) for one in taken] for other in taken]
    second = np.sum(products) + np.sum(square**taken) / shape
    mean, variance = moments((k, done), shape, np.array([rate]), np.array([float(number)]), discounted)
    assert mean[0] == pytest.approx(np.sum(step**taken))
    assert variance[0] == pytest.approx(second - np.sum(step**taken) ** 2)


@pytest.mark.parametrize("visits", [MbgNbd(1.4, 40.0, 0.07, 38.0), MbgCnbd(3, 4.2, 40.0, 0.0, 1.0)])
def test_the_quantiles_of_customers_who_have_bought_often_add_up_to_what_is_expected_of_them(
    visits: Purchasing,
) -> None:
    """Their distribution is narrow: it lay between two of the amounts at which it was looked for."""
    x, spend = np.array([20.0, 60, 100, 250]), np.full(4, 5.0)
    seen, levels = (x, np.full(4, 848.0), np.full(4, 850.0)), (np.arange(50) + 0.5) / 50
    quantiles = ValueSpread(visits, SPENDS, DISCOUNT, 300, OLDEST).quantiles(*seen, spend, levels.tolist())
    expected = SPENDS.expected_spend(x, spend) * discounted_purchases(visits, *seen, DISCOUNT)
    assert np.mean(quantiles, axis=0) == pytest.approx(expected, rel=0.05)


def test_steps_done_raise_what_a_silent_customer_is_worth_at_most() -> None:
    """Of somebody who bought once and is silent since, a rhythm says that the next purchase is near."""
    visits = MbgCnbd(3, 1.5, 43.0, 0.0, 1.0)
    x, t_x, age = np.zeros(2), np.zeros(2), np.array([0.5, 60.0])
    spread = ValueSpread(visits, SPENDS, DISCOUNT, 10, OLDEST)
    now, later = spread.quantiles(x, t_x, age, np.zeros(2), (0.5,))[0]
    without = ValueSpread(MbgCnbd(1, 1.5, 43.0, 0.0, 1.0), SPENDS, DISCOUNT, 10, OLDEST)
    plainly, plainly_later = without.quantiles(x, t_x, age, np.zeros(2), (0.5,))[0]
    assert later / now > plainly_later / plainly


@pytest.mark.parametrize("visits", [MbgNbd(1.4, 40.0, 1.5, 18.0), MbgCnbd(2, 2.0, 20.0, 0.0, 1.0)])
def test_beyond_its_edge_a_small_table_says_about_what_a_large_one_says(visits: Purchasing) -> None:
    x, age, spend = np.array([3.0, 200, 3, 200]), np.array([850.0, 850, 2_000, 2_000]), np.full(4, 20.0)
    t_x = age - 3.0
    small, large = (ValueSpread(visits, SPENDS, DISCOUNT, *edge) for edge in ((50, 900.0), (300, 3_000.0)))
    for little, much in zip(
        small.quantiles(x, t_x, age, spend, (0.5, 0.9)), large.quantiles(x, t_x, age, spend, (0.5, 0.9)), strict=True
    ):
        assert little == pytest.approx(much, rel=0.25)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("a", [0.0, 0.01, 30.0])
def test_extreme_parameters_give_ordered_quantiles_and_no_nan(k: int, a: float) -> None:
    spread = ValueSpread(MbgCnbd(k, 0.002, 0.05, a, 0.01), SPENDS, DISCOUNT, 2, OLDEST)
    x, t_x, age = np.array([0.0, 0, 1, 5_000]), np.array([0.0, 0, 3, 880]), np.array([0.0, 900, 3, 880])
    low, middle, high = spread.quantiles(x, t_x, age, np.zeros(4), (0.1, 0.5, 0.9))
    assert np.all(np.isfinite(high))
    assert np.all((low >= 0) & (low <= middle) & (middle <= high))
    none = np.empty(0)
    assert all(len(part) == 0 for part in spread.quantiles(none, none, none, none, (0.1, 0.9)))
