"""Our MBG/CNBD-k against MBG/NBD, which it is for k = 1, against simulated customers, and against its own derivative."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from services.scoring.domain.choice import Candidate, candidates, choose, fit_candidate
from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.mbg_cnbd import MbgCnbd, likelihood_of, likelihood_without_dropout
from services.scoring.domain.mbg_nbd import MbgNbd, Visits, likelihood_of as plain_likelihood_of
from tests.scoring import cdnow

YEAR = 52.0


def simulated(model: MbgCnbd, customers: int, until: float, seed: int) -> tuple[Visits, float, Floats]:
    """Customers by the model's own story, a year each; what they bought afterwards, until that age, is returned last."""
    random = np.random.default_rng(seed)
    rows, log_gaps, later = [], 0.0, []
    for rate, p in zip(
        random.gamma(model.r, 1 / model.alpha, customers), random.beta(model.a, model.b, customers), strict=True
    ):
        times = [0.0]
        while random.random() >= p and times[-1] < until:
            times.append(times[-1] + random.gamma(model.k, 1 / rate))
        seen = [time for time in times if time <= YEAR]
        log_gaps += float(np.log(np.diff(seen)).sum())
        rows.append((len(seen) - 1, seen[-1], YEAR, 1.0))
        later.append(sum(YEAR < time <= until for time in times))
    return Visits(*np.array(rows, dtype=np.float64).T), log_gaps, np.array(later, dtype=np.float64)


@pytest.fixture(scope="module")
def regular() -> tuple[Visits, float, Floats]:
    return simulated(MbgCnbd(k=3, r=1.5, alpha=2.0, a=0.6, b=2.5), 4_000, 2 * YEAR, seed=5)


def test_with_one_step_it_is_mbg_nbd() -> None:
    visits, plain = cdnow.visits(), MbgNbd(0.5248, 6.1831, 0.8914, 1.6140)
    model = MbgCnbd(1, 0.5248, 6.1831, 0.8914, 1.6140)
    seen = (visits.x, visits.t_x, visits.age)
    assert model.p_alive(*seen) == pytest.approx(plain.p_alive(*seen), abs=1e-12)
    assert model.p_no_purchase(*seen, 39.0) == pytest.approx(plain.p_no_purchase(*seen, 39.0), abs=1e-12)
    assert model.expected_purchases(*seen, 39.0) == pytest.approx(plain.expected_purchases(*seen, 39.0), abs=1e-9)
    at = np.array([0.6, 7.0, 0.9, 1.6])
    assert likelihood_of(visits, 1, 0.0)(at)[0] == pytest.approx(plain_likelihood_of(visits)(at)[0], abs=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_gradients_are_the_derivatives(regular: tuple[Visits, float, Floats], k: int) -> None:
    visits, log_gaps, _ = regular
    for likelihood, at in (
        (likelihood_of(visits, k, log_gaps), np.array([1.1, 2.5, 0.8, 2.0])),
        (likelihood_without_dropout(visits, k, log_gaps), np.array([1.1, 2.5])),
    ):
        error = check_grad(lambda p, f=likelihood: f(p)[0], lambda p, f=likelihood: f(p)[1], at, epsilon=1e-6)
        assert error < 1e-4 * np.linalg.norm(likelihood(at)[1])


def test_a_base_with_a_rhythm_is_given_its_k_and_its_parameters(regular: tuple[Visits, float, Floats]) -> None:
    visits, log_gaps, _ = regular
    fitted = candidates(visits, log_gaps)
    assert not isinstance(fitted, Doubt)
    chosen = choose(fitted)
    assert isinstance(chosen, Candidate)
    assert (chosen.name, chosen.doubt) == ("mbg-cnbd-3", None)
    model = chosen.model
    assert (model.r / model.alpha, model.a / (model.a + model.b)) == pytest.approx((0.75, 0.6 / 3.1), rel=0.1)


def test_what_is_expected_of_regular_customers_comes(regular: tuple[Visits, float, Floats]) -> None:
    visits, log_gaps, later = regular
    model = fit_candidate(visits, log_gaps, 3).model
    seen = (visits.x, visits.t_x, visits.age)
    assert model.expected_purchases(*seen, YEAR).sum() == pytest.approx(later.sum(), rel=0.04)
    assert np.mean(1 - model.p_no_purchase(*seen, YEAR)) == pytest.approx(np.mean(later > 0), abs=0.02)
    assert np.corrcoef(model.expected_purchases(*seen, YEAR), later)[0, 1] > 0.85


def test_a_rhythm_makes_a_long_silence_tell_more() -> None:
    x, t_x, age = np.full(1, 12.0), np.full(1, 24.0), np.full(1, 32.0)
    random_buyer, regular_buyer = MbgCnbd(1, 1.0, 2.0, 0.5, 3.0), MbgCnbd(4, 1.0, 0.5, 0.5, 3.0)
    assert regular_buyer.p_alive(x, t_x, age)[0] < random_buyer.p_alive(x, t_x, age)[0] / 2


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("a", [0.0, 0.8, 1.0])
def test_five_thousand_purchases_and_customers_of_today_are_finite(k: int, a: float) -> None:
    model = MbgCnbd(k, 0.5, 0.05, a, 1.6)
    x, t_x, age = np.array([0.0, 0, 1, 5_000]), np.array([0.0, 0, 3, 51]), np.array([0.0, 52, 3, 52])
    expected = model.expected_purchases(x, t_x, age, 52.0)
    assert np.all(np.isfinite(expected))
    assert np.all(expected >= 0)
    quiet = model.p_no_purchase(x, t_x, age, 52.0)
    assert np.all((quiet >= -1e-12) & (quiet <= 1))


def test_blocks_of_coming_purchases_add_up_to_what_one_by_one_gives() -> None:
    frequent = MbgCnbd(1, 0.5, 1.0, 0.3, 40.0)
    x, t_x, age = np.array([900.0, 5_000]), np.array([51.9, 52]), np.array([52.0, 52])
    closed = MbgNbd(0.5, 1.0, 0.3, 40.0).expected_purchases(x, t_x, age, 52.0)
    assert frequent.expected_purchases(x, t_x, age, 52.0) == pytest.approx(closed, rel=3e-5)


def test_a_base_that_nobody_leaves_is_forecast_without_leaving_and_says_so() -> None:
    random = np.random.default_rng(7)
    age = np.full(3_000, 60.0)
    x = random.poisson(random.gamma(3.0, 1 / 8.0, 3_000) * age).astype(float)
    t_x = np.where(x > 0, age * random.random(3_000) ** (1 / np.maximum(x, 1)), 0)
    found = fit_candidate(Visits(x, t_x, age, np.ones(3_000)), 0.0, 1)
    assert (found.name, found.doubt, found.model.a) == ("nbd", Doubt.NO_DROPOUT, 0.0)
    assert found.model.expected_purchases(x, t_x, age, 60.0).sum() == pytest.approx(x.sum(), rel=0.01)
    assert np.all(found.model.p_alive(x, t_x, age) == 1)
