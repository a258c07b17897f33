"""Discounted purchases and lifetimes of MBG/NBD and BG/NBD against reference values, integrals and a simulation."""

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import quad

from services.scoring.domain.fitting import Floats
from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.peers import BgNbd
from services.scoring.domain.residual import discounted_purchases, residual_lifetime
from tests.scoring.simulated import Shop, shop

BG = BgNbd(0.243, 4.414, 0.793, 2.426)
MBG = MbgNbd(0.5248, 6.183, 0.8914, 1.614)
SEEN = np.array([2.0, 7, 0]), np.array([30.43, 35, 0]), np.full(3, 38.86)
WEEKLY = 0.0027


def one(value: float) -> Floats:
    return np.array([float(value)])


@cache
def week_shop() -> Shop:
    return shop(MBG, GammaGamma(6.25, 3.74, 15.44), WEEKLY, 60_000, 120.0, seed=11)


def kinds(seen: Shop) -> list[np.ndarray]:
    return [seen.x == 0, (seen.x > 0) & (seen.x < 4), seen.x >= 4, seen.x >= 0]


def test_discounted_purchases_have_the_reference_values() -> None:
    assert discounted_purchases(BG, *SEEN, WEEKLY) == pytest.approx([5.1564, 16.6591, 1.0158], abs=1.1e-4)
    # The third is printed as .7225, from 24 Gauss-Laguerre nodes; nested integrals to ten digits give .72241453.
    assert discounted_purchases(MBG, *SEEN, WEEKLY) == pytest.approx([4.9105, 14.8799, 0.7225], abs=1e-4)
    assert discounted_purchases(MBG, *SEEN, WEEKLY)[2] == pytest.approx(0.72241453, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(
    r=st.floats(0.2, 10),
    alpha=st.floats(2, 200),
    a=st.floats(0.2, 10),
    b=st.floats(0.2, 30),
    x=st.integers(0, 300),
    age=st.floats(1, 1500),
    discount=st.floats(1e-4, 0.02),
)
def test_discounted_purchases_are_the_discounted_forecast_summed_over_time(
    r: float, alpha: float, a: float, b: float, x: int, age: float, discount: float
) -> None:
    model: Any = MbgNbd(r, alpha, a, b)
    last = age if x else 0.0
    # By parts, the discounted rate of purchases adds up to what the discounted forecast does. Panels grow with time,
    # so that both the first days and the far future are seen.
    knots = np.concatenate([[0.0], np.geomspace(1e-4, 35.0, 14)])
    at, weight = np.polynomial.legendre.leggauss(8)
    middle, half = (knots[1:] + knots[:-1]) / 2, np.diff(knots) / 2
    times, weights = (middle[:, None] + half[:, None] * at).ravel(), (half[:, None] * weight).ravel()
    alike = (np.full_like(times, value) for value in (x, last, age))
    summed = weights @ (np.exp(-times) * model.expected_purchases(*alike, times / discount))
    assert discounted_purchases(model, one(x), one(last), one(age), discount)[0] == pytest.approx(summed, rel=2e-5)


def test_discounted_purchases_agree_with_a_simulation() -> None:
    seen = week_shop()
    dert = discounted_purchases(MBG, seen.x, seen.t_x, seen.age, WEEKLY)
    for kind in kinds(seen):
        error = 4 * seen.later[kind].std() / np.sqrt(kind.sum())
        assert dert[kind].mean() == pytest.approx(seen.later[kind].mean(), abs=error)


def test_a_rhythm_of_one_step_is_no_rhythm() -> None:
    plain = MbgCnbd(1, MBG.r, MBG.alpha, MBG.a, MBG.b)
    assert plain.discounted_purchases(*SEEN, WEEKLY) == pytest.approx(discounted_purchases(MBG, *SEEN, WEEKLY))


@pytest.mark.parametrize(
    "model", [MbgCnbd(3, 1.5, 9.0, 0.9, 2.5), MbgCnbd(2, 0.8, 6.0, 1.2, 2.5, 0.1), MbgCnbd(2, 0.8, 6.0, 0.0, 1.0)]
)
def test_with_a_rhythm_they_are_the_discounted_forecast_too(model: MbgCnbd) -> None:
    discount = 0.01
    at, weight = np.polynomial.laguerre.laggauss(24)
    forecast = sum(g * model.expected_purchases(*SEEN, float(w / discount)) for w, g in zip(at, weight, strict=True))
    assert model.discounted_purchases(*SEEN, discount) == pytest.approx(np.asarray(forecast), rel=2e-3)


def test_many_customers_get_what_each_alone_would_get() -> None:
    seen = week_shop()
    few = slice(0, 60_000, 3_000)
    together = discounted_purchases(MBG, seen.x, seen.t_x, seen.age, WEEKLY)[few]
    alone = discounted_purchases(MBG, seen.x[few], seen.t_x[few], seen.age[few], WEEKLY)
    assert together == pytest.approx(alone, rel=1e-8)


def test_five_thousand_purchases_are_no_trouble() -> None:
    x, t_x, age = np.array([5_000.0, 5_000, 1_600]), np.array([52.0, 51, 50]), np.full(3, 52.0)
    for model in (MBG, BG):
        assert np.all(np.isfinite(discounted_purchases(model, x, t_x, age, WEEKLY)))
        assert np.all(residual_lifetime(model, x, t_x, age, 520.0) <= 520.0)


def test_the_residual_lifetime_is_the_survival_function_summed_over_time() -> None:
    for model, x in ((MBG, 0.0), (MBG, 4.0), (BG, 3.0), (MbgNbd(1.0, 5.0, 2.0, 3.0), 0.0)):
        clock, b = model.alpha + 40.0, model.b + x + (1.0 if isinstance(model, MbgNbd) else 0.0)
        leaving = np.random.default_rng(1).beta(model.a, b, 400_000)

        def still_there(t: float, leaving: Floats = leaving, clock: float = clock, n: float = model.r + x) -> float:
            return float(np.mean((1 + leaving * t / clock) ** -n))

        there = model.p_alive(one(x), one(35 if x else 0), one(40))[0]
        lifetime = residual_lifetime(model, one(x), one(35 if x else 0), one(40), 200.0)[0]
        assert lifetime == pytest.approx(there * quad(still_there, 0, 200, limit=50)[0], rel=3e-3)


def test_the_residual_lifetime_agrees_with_a_simulation() -> None:
    seen = week_shop()
    for horizon in (52.0, 520.0):
        expected = residual_lifetime(MBG, seen.x, seen.t_x, seen.age, horizon)
        for kind in kinds(seen):
            stays = np.minimum(seen.stays[kind], horizon)
            assert expected[kind].mean() == pytest.approx(stays.mean(), abs=4 * stays.std() / np.sqrt(kind.sum()))


def test_long_lifetimes_tend_to_the_closed_form_where_it_is_finite() -> None:
    model = MbgNbd(3.0, 10.0, 4.0, 3.0)
    x, t_x, age = one(2), one(30), one(35)
    closed = (
        model.p_alive(x, t_x, age) * (model.alpha + age) / (model.r + x - 1) * (model.a + model.b + x) / (model.a - 1)
    )
    assert residual_lifetime(model, x, t_x, age, 1e7) == pytest.approx(closed, rel=1e-4)
