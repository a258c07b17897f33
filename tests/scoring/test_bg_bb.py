"""Our BG/BB against the donations of Fader, Hardie and Shang 2010, the values of BTYD and lifetimes, and a simulation."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import check_grad
from scipy.special import betaln, hyp2f1

from services.scoring.domain.bg_bb import BgBb, Occasions, OccasionsFit, fit_occasions, likelihood_of
from services.scoring.domain.fitting import Doubt, Floats

FILE = Path(__file__).parent / "data" / "donations.csv"
PUBLISHED = BgBb(1.2, 0.75, 0.66, 2.78)


def row(*values: float) -> Floats:
    return np.array(values, dtype=float)


def donations() -> Occasions:
    with FILE.open() as file:
        return Occasions(*np.array([list(map(float, one.values())) for one in csv.DictReader(file)]).T)


def fitted(fit: OccasionsFit | Doubt) -> OccasionsFit:
    assert isinstance(fit, OccasionsFit)
    return fit


def test_the_donations_give_the_published_estimates() -> None:
    seen = donations()
    assert seen.customers.sum() == 11_104
    fit = fitted(fit_occasions(seen))
    assert fit.doubt is None
    assert [round(one, 4) for one in vars(fit.parameters).values()] == [1.2035, 0.7497, 0.6567, 2.7834]
    assert fit.log_likelihood == pytest.approx(-33_225.6, abs=0.05)


def test_donors_are_as_probably_there_and_give_as_often_as_printed() -> None:
    seen = donations()
    model = fitted(fit_occasions(seen)).parameters
    alive = model.p_alive(row(0, 2, 6), row(0, 4, 6), row(6, 6, 6))
    assert [round(one, 2) for one in alive] == [0.11, 0.59, 0.93]
    gifts = model.expected_purchases(row(0, 0, 4), row(0, 0, 5), row(0, 6, 6), 10)
    assert gifts == pytest.approx([3.17983, 0.130218, 3.627968], abs=6e-6)
    # BTYD stops at a slightly different estimate, which it prints to four digits.
    assert gifts == pytest.approx([3.179805, 0.1302169, 3.627858], rel=4e-5)
    assert seen.customers @ model.expected_purchases(seen.x, seen.t_x, seen.n, 5) == pytest.approx(12_884.2, abs=0.06)


def test_discounted_gifts_have_the_reference_values() -> None:
    x, t_x = row(3, 1, 2, 3, 4, 5, 6), row(4, 6, 6, 6, 6, 6, 6)
    dert = PUBLISHED.discounted_purchases(x, t_x, np.full(7, 6.0), 0.1)
    assert dert == pytest.approx([1.6214, 1.8020, 2.6212, 3.4403, 4.2594, 5.0785, 5.8976], abs=5.1e-5)


def test_discounted_gifts_are_the_closed_form() -> None:
    m, (x, t_x, n), discount = PUBLISHED, (row(3, 0), row(4, 0), row(6, 3)), 0.1
    log_closed = betaln(m.alpha + x + 1, m.beta + n - x) - betaln(m.alpha, m.beta)
    log_closed += betaln(m.gamma, m.delta + n + 1) - betaln(m.gamma, m.delta) - np.log1p(discount)
    log_closed += np.log(hyp2f1(1, m.delta + n + 1, m.gamma + m.delta + n + 1, 1 / (1 + discount)))
    closed = np.exp(log_closed - m.log_likelihood(x, t_x, n))
    assert m.discounted_purchases(x, t_x, n, discount) == pytest.approx(closed, rel=1e-9)


def test_the_gradient_is_the_derivative() -> None:
    likelihood, at = likelihood_of(donations()), row(1.0, 0.9, 0.7, 2.0)
    error = check_grad(lambda p: likelihood(p)[0], lambda p: likelihood(p)[1], at, epsilon=1e-6)
    assert error < 1e-3 * np.linalg.norm(likelihood(at)[1])


PARAMETERS = st.floats(0.1, 20)


@settings(max_examples=60, deadline=None)
@given(alpha=PARAMETERS, beta=PARAMETERS, gamma=PARAMETERS, delta=PARAMETERS, n=st.integers(1, 8))
def test_the_probabilities_of_all_histories_add_up_to_one(
    alpha: float, beta: float, gamma: float, delta: float, n: int
) -> None:
    # So many histories share their x and t_x: the last occasion is taken, the others before it in any order.
    kinds = [(0, 0, 1), *((x, t, _ways(t - 1, x - 1)) for t in range(1, n + 1) for x in range(1, t + 1))]
    x, t_x, ways = np.array(kinds, dtype=float).T
    model = BgBb(alpha, beta, gamma, delta)
    assert ways @ np.exp(model.log_likelihood(x, t_x, np.full_like(x, n))) == pytest.approx(1.0)


def _ways(of: int, taken: int) -> int:
    ways = 1
    for i in range(taken):
        ways = ways * (of - i) // (i + 1)
    return ways


def test_forecasts_agree_with_a_simulation() -> None:
    random = np.random.default_rng(3)
    p, theta = random.beta(1.2, 0.75, 200_000), random.beta(0.66, 2.78, 200_000)
    there = np.cumprod(random.random((18, 200_000)) > theta, axis=0)
    took = there * (random.random(there.shape) < p)
    x, t_x = took[:6].sum(axis=0).astype(float), ((np.arange(6)[:, None] + 1) * took[:6]).max(axis=0).astype(float)
    for kind in (x == 0, (x > 0) & (t_x < 4), x >= 4):
        seen = x[kind], t_x[kind], np.full(int(kind.sum()), 6.0)
        assert PUBLISHED.p_alive(*seen).mean() == pytest.approx(there[6, kind].mean(), abs=0.006)
        expected = PUBLISHED.expected_purchases(*seen, 12).mean()
        assert expected == pytest.approx(took[6:, kind].sum(axis=0).mean(), rel=0.02, abs=0.01)


def test_customers_whom_nobody_asked_yet_are_no_trouble() -> None:
    assert PUBLISHED.log_likelihood(row(0), row(0), row(0)) == pytest.approx([0.0])
    assert PUBLISHED.log_likelihood(row(0, 2), row(0, 3), row(0, 9))[0] == pytest.approx(0.0)


def test_a_base_that_nobody_leaves_holds_the_fit() -> None:
    random = np.random.default_rng(5)
    took = random.random((8, 4_000)) < random.beta(4, 3, 4_000)
    x, t_x = took.sum(axis=0), ((np.arange(8)[:, None] + 1) * took).max(axis=0)
    cells, customers = np.unique(np.stack([x, t_x]).astype(float), axis=1, return_counts=True)
    seen = Occasions(cells[0], cells[1], np.full(len(customers), 8.0), customers.astype(float))
    assert fitted(fit_occasions(seen)).doubt is Doubt.NO_DROPOUT


def test_too_few_customers_are_not_fitted() -> None:
    assert fit_occasions(Occasions(*(row(1, 1) for _ in range(4)))) is Doubt.TOO_FEW
