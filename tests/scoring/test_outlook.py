"""What a score reads of MBG/CNBD-k, computed in one pass, against the same one by one and purchase by purchase."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import betainc, betaln

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd, outlook
from services.scoring.domain.mbg_cnbd.curves import Curves

MODELS = [
    MbgCnbd(1, 0.8, 50.0, 0.9, 2.5, 0.2),
    MbgCnbd(2, 1.6, 50.0, 0.9, 2.5),
    MbgCnbd(3, 0.8, 6.0, 0.07, 38.0, 0.2),
    MbgCnbd(3, 24.0, 300.0, 3.0, 1.0),
    MbgCnbd(4, 3.2, 50.0, 0.0, 1.0),
]


def one_by_one(model: MbgCnbd, x: Floats, clock: Floats, horizon: Floats | float) -> Floats:
    """(k, customers): E[X(horizon)] of who is there, as the sum of P(at least n purchases), and nothing left out."""
    n, size, ahead = np.arange(1.0, 4_000.0)[:, None], model.r + model.k * x, horizon / (clock + horizon)
    stays = np.exp(betaln(model.a, model.b + x + n) - betaln(model.a, model.b + x + 1.0)) if model.a else 1.0
    never = model.never_leaves(x)
    worth = never + (1.0 - never) * stays
    return np.stack([(betainc(model.k * n - j, size + j, ahead) * worth).sum(axis=0) for j in range(model.k)])


def buys(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> Floats:
    """P(a purchase) of who is there, by what is left of the steps to it."""
    size, ahead = model.r + model.k * x, horizon / (model.alpha + np.maximum(age, t_x) + horizon)
    each = [betainc(model.k - j, size + j, ahead) for j in range(model.k)]
    bought: Floats = np.sum(model.steps_done(x, t_x, age) * each, axis=0)
    return bought


def agree(model: MbgCnbd, x: Floats, t_x: Floats, age: Floats, horizon: Floats | float) -> None:
    seen, found = (x, t_x, age), outlook(model, x, t_x, age, horizon)
    assert found.p_alive == pytest.approx(model.p_alive(*seen), rel=1e-10, abs=1e-300)
    assert found.p_silent == pytest.approx(model.p_silent(*seen), rel=1e-10, abs=1e-300)
    assert found.p_no_purchase == pytest.approx(1.0 - model.p_alive(*seen) * buys(model, *seen, horizon), abs=1e-10)
    there = np.einsum("kc,kc->c", model.steps_done(*seen), one_by_one(model, x, model.alpha + age, horizon))
    assert found.expected_purchases == pytest.approx(model.p_alive(*seen) * there, rel=1e-10, abs=1e-300)


@settings(max_examples=60, deadline=None)
@given(
    k=st.integers(1, 4),
    r=st.floats(0.2, 10),
    alpha=st.floats(5, 500),
    a=st.just(0.0) | st.floats(0.05, 10),
    b=st.floats(0.2, 40),
    loyal=st.just(0.0) | st.floats(0.01, 0.9),
    horizon=st.sampled_from([1.0, 30.0, 90.0, 365.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_customers_of_any_model_are_told_what_they_are_told_one_by_one(
    k: int, r: float, alpha: float, a: float, b: float, loyal: float, horizon: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = np.floor(random.exponential(20.0, 12))
    t_x = np.where(x > 0, x + random.exponential(300.0, 12), 0.0)
    model, age = MbgCnbd(k, r * k, alpha, a, b, loyal), t_x + random.exponential(200.0, 12)
    agree(model, x, t_x, age, horizon)
    agree(model, x, t_x, age, horizon * np.exp(random.uniform(-1.1, 1.1, 12)))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("horizon", [1.0, 90.0, 365.0])
def test_so_are_hard_ones(model: MbgCnbd, horizon: float) -> None:
    """Of today, with thousands of purchases, one a day, silent for decades, and with a last purchase after now."""
    x = np.array([0.0, 0, 0, 1, 1, 3, 300, 300, 3_000, 5_000, 2])
    t_x = np.array([0.0, 0, 0, 1, 1_000, 3, 300, 900, 3_000, 6_000, 40.5])
    age = np.array([0.0, 1, 20_000, 1, 1_000, 20_000, 300, 1_800, 3_000, 6_100, 40])
    agree(model, x, t_x, age, horizon)


@pytest.mark.parametrize("model", MODELS)
def test_horizons_of_their_own_are_met_in_every_block(model: MbgCnbd) -> None:
    """Three blocks of customers, the season's and their pace's horizons from a ninth to nine times as long."""
    random = np.random.default_rng(4)
    x = random.integers(0, 60, 20_000).astype(float)
    t_x = x + random.integers(0, 500, 20_000).astype(float)
    age = t_x + random.integers(0, 900, 20_000).astype(float)
    horizons = 90.0 * np.exp(random.uniform(-2.2, 2.2, 20_000))
    many = np.array(outlook(model, x, t_x, age, horizons))
    for one in (0, 8_191, 8_192, 19_999):
        who = slice(one, one + 1)
        alone = outlook(model, x[who], t_x[who], age[who], float(horizons[one]))
        assert many[:, who] == pytest.approx(np.array(alone), rel=1e-13, abs=0)


@pytest.mark.parametrize("model", MODELS)
def test_beyond_all_clocks_something_finite_is_said(model: MbgCnbd) -> None:
    x, ratio = np.zeros(4), np.array([1e-300, 1e-15, 1e15, 1e300])
    said = Curves(model).at(x, ratio)
    assert np.isfinite(said).all()
    assert said[:, 2:] == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("model", MODELS)
def test_a_customer_is_told_the_same_among_many_and_alone(model: MbgCnbd) -> None:
    random = np.random.default_rng(3)
    x = random.integers(0, 200, 20_000).astype(float)
    t_x = x + random.integers(0, 500, 20_000).astype(float)
    age = t_x + random.integers(0, 900, 20_000).astype(float)
    many = np.array(outlook(model, x, t_x, age, 90.0))
    for one in (0, 8_191, 8_192, 19_999):
        who = slice(one, one + 1)
        alone = outlook(model, x[who], t_x[who], age[who], 90.0)
        assert many[:, who] == pytest.approx(np.array(alone), rel=1e-13, abs=0)


def test_the_order_in_which_customers_come_changes_nothing() -> None:
    x, ratio = np.array([4.0, 0, 70, 4, 9]), np.array([90.0, 51, 800, 3_000, 170]) / 90.0
    together, each = Curves(MODELS[1]), Curves(MODELS[1])
    alone = [each.at(x[i : i + 1], ratio[i : i + 1]) for i in reversed(range(len(x)))]
    assert together.at(x, ratio) == pytest.approx(np.concatenate(alone[::-1], axis=1), rel=1e-13)


def test_where_a_purchase_a_minute_is_thought_possible_the_plain_way_says_how_many_come() -> None:
    model, x, age = MbgCnbd(2, 0.8, 0.01, 0.9, 2.5), np.zeros(2), np.array([0.0, 400])
    found = outlook(model, x, x, age, 365.0).expected_purchases
    assert found == pytest.approx(model.expected_purchases(x, x, age, 365.0), rel=1e-4)


def test_of_nobody_nothing_is_said() -> None:
    none = np.empty(0)
    for model in MODELS:
        assert all(len(part) == 0 for part in outlook(model, none, none, none, 90.0))
