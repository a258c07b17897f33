"""Our Pareto/NBD against published estimates and values, its own definition by integrals, and a simulation."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.integrate import quad
from scipy.optimize import check_grad
from scipy.special import gammaln, hyp2f1, hyperu

from services.scoring.domain.fitting import Doubt, Floats
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.domain.pareto_nbd import ParetoFit, ParetoNbd, fit_pareto, likelihood_of
from services.scoring.domain.pareto_nbd.powers import Powers
from tests.scoring.evaluation.files import cdnow_base

CDNOW = ParetoNbd(0.5533, 10.5777, 0.6062, 11.6688)
WALKTHROUGH = ParetoNbd(0.5533710, 10.5795191, 0.6059069, 11.6580918)
"""The estimate behind BTYD's walkthrough, recovered from its seven values by least squares: it gives each to every digit."""
PUBLISHED = ParetoNbd(0.5629966, 12.559037, 0.4081095, 10.5148048)
HARD = ParetoNbd(0.5143, 2.8845, 0.2856, 14.1087)


def one(value: float) -> Floats:
    return np.array([float(value)])


def sample() -> Visits:
    return cdnow_base("sample").visits()


def fitted(fit: ParetoFit | Doubt) -> ParetoFit:
    assert isinstance(fit, ParetoFit)
    return fit


@pytest.mark.parametrize(
    ("name", "parameters", "log_likelihood"),
    [
        ("sample", (0.5533, 10.5777, 0.6062, 11.6688), -9594.98),
        ("master", (0.5974, 11.5856, 0.5222, 8.8278), -95_415.12),
    ],
)
def test_cdnow_gives_the_published_estimates(name: str, parameters: tuple[float, ...], log_likelihood: float) -> None:
    base = cdnow_base(name)
    (x, t_x, age), customers = np.unique(np.stack([base.x, base.t_x, base.age]), axis=1, return_counts=True)
    fit = fitted(fit_pareto(Visits(x, t_x, age, customers.astype(float))))
    assert fit.doubt is None
    assert tuple(vars(fit.parameters).values()) == pytest.approx(parameters, rel=2e-4)
    assert fit.log_likelihood == pytest.approx(log_likelihood, abs=0.01)


def test_the_standard_errors_are_the_published_ones() -> None:
    likelihood = likelihood_of(sample())
    at = np.array([*vars(fitted(fit_pareto(sample())).parameters).values()])
    steps = np.diag(1e-4 * at)
    hessian = np.array([(likelihood(at + h)[1] - likelihood(at - h)[1]) / (2 * h.sum()) for h in steps])
    errors = np.sqrt(np.diag(np.linalg.inv(-(hessian + hessian.T) / 2)))
    assert errors == pytest.approx([0.0476, 0.8427, 0.1873, 6.2105], rel=2e-3)


def test_the_gradient_is_the_derivative() -> None:
    likelihood = likelihood_of(sample())
    for at in ([0.5, 9.0, 0.7, 12.0], [0.9, 4.0, 2.0, 30.0]):
        error = check_grad(lambda p: likelihood(p)[0], lambda p: likelihood(p)[1], at, epsilon=1e-6)
        assert error < 1e-3 * np.linalg.norm(likelihood(np.array(at))[1])


def test_a_refit_from_the_last_optimum_arrives_at_the_same_place() -> None:
    first = fitted(fit_pareto(sample())).parameters
    again = fitted(fit_pareto(sample(), start=first)).parameters
    assert tuple(vars(again).values()) == pytest.approx(tuple(vars(first).values()), rel=1e-3)


def test_the_unit_of_time_changes_alpha_and_beta_only() -> None:
    weeks = sample()
    in_days = fitted(fit_pareto(Visits(weeks.x, 7 * weeks.t_x, 7 * weeks.age, weeks.customers)))
    in_weeks = fitted(fit_pareto(weeks))
    assert in_days.parameters.alpha == pytest.approx(7 * in_weeks.parameters.alpha, rel=1e-3)
    assert in_days.parameters.s == pytest.approx(in_weeks.parameters.s, rel=1e-3)
    assert in_days.log_likelihood == pytest.approx(in_weeks.log_likelihood - np.log(7) * weeks.x.sum(), abs=0.01)


def test_the_values_of_the_btyd_walkthrough_come_out_to_the_printed_digits() -> None:
    customer = one(26), one(30.85714), one(31)
    assert WALKTHROUGH.expected_purchases(one(0), one(0), one(0), 52)[0] == pytest.approx(1.473434, abs=1e-6)
    assert WALKTHROUGH.expected_purchases(*customer, 52)[0] == pytest.approx(25.45647, abs=1e-5)
    assert WALKTHROUGH.p_alive(*customer)[0] == pytest.approx(0.997874, abs=1e-6)
    paradox = [0.7062289, 0.1442396, 0.02250658, 0.00309267]
    gap = np.array([10.0, 15, 20, 25]), np.full(4, 20.0), np.full(4, 39.0)
    assert WALKTHROUGH.expected_purchases(*gap, 52) == pytest.approx(paradox, rel=5e-7)
    # The manual's page on P(alive) uses an estimate of its own, with another routine.
    assert WALKTHROUGH.p_alive(one(0), one(0), one(39))[0] == pytest.approx(0.2941633, abs=2e-4)


@pytest.mark.parametrize(
    ("x", "t_x", "alive", "expected"), [(2, 30.43, 0.869115, 1.455100), (0, 0, 0.295096, 0.107059)]
)
def test_single_customers_agree_with_the_reference_values(x: float, t_x: float, alive: float, expected: float) -> None:
    model = fitted(fit_pareto(sample())).parameters
    assert model.p_alive(one(x), one(t_x), one(38.86))[0] == pytest.approx(alive, abs=3e-5)
    assert model.expected_purchases(one(x), one(t_x), one(38.86), 39)[0] == pytest.approx(expected, abs=5e-5)


def test_discounted_purchases_have_the_reference_values() -> None:
    assert PUBLISHED.discounted_purchases(one(7), one(35), one(77.86), 0.0027)[0] == pytest.approx(1.86418, abs=5e-6)
    values = [2.1992, 2.8435, 2.8671, 2.4454, 1.8405, 1.2624, 0.8096, 0.4948, 0.2920, 0.1679]
    x = np.arange(1.0, 11.0)
    dert = PUBLISHED.discounted_purchases(x, np.full(10, 30.0), np.full(10, 77.86), 0.0027)
    assert dert == pytest.approx(values, abs=5.1e-5)


@settings(max_examples=60, deadline=None)
@given(
    r=st.floats(0.1, 15),
    alpha=st.floats(0.5, 300),
    s=st.floats(0.1, 2.9),
    beta=st.floats(0.5, 300),
    x=st.integers(0, 200),
    silence=st.floats(0, 1),
    age=st.floats(1, 2000),
    discount=st.floats(1e-5, 0.05),
)
def test_discounted_purchases_are_the_closed_form_with_the_confluent_hypergeometric_function(
    r: float, alpha: float, s: float, beta: float, x: int, silence: float, age: float, discount: float
) -> None:
    model, t_x = ParetoNbd(r, alpha, s, beta), (age * (1 - silence) if x else 0.0)
    log_seen = model.log_likelihood(one(x), one(t_x), one(age))[0]
    z = discount * (beta + age)
    log_closed = r * np.log(alpha) + s * np.log(beta) + (s - 1) * np.log(discount) + gammaln(r + x + 1) - gammaln(r)
    log_closed += np.log(hyperu(s, s, z)) - (r + x + 1) * np.log(alpha + age) - log_seen
    dert = model.discounted_purchases(one(x), one(t_x), one(age), discount)[0]
    assert dert == pytest.approx(np.exp(log_closed), rel=1e-5)


def test_discounted_purchases_are_the_discounted_forecast_summed_over_time() -> None:
    seen, discount = (one(3), one(20), one(39)), 0.01

    def discounted(time: float) -> float:
        return float(discount * np.exp(-discount * time) * CDNOW.expected_purchases(*seen, time)[0])

    assert CDNOW.discounted_purchases(*seen, discount)[0] == pytest.approx(quad(discounted, 0, 4000)[0], rel=1e-6)


def in_closed_form(powers: Powers) -> float:
    """The difference of 2F1 terms of note 009, for alpha above beta."""
    c, d, apart = float(powers.c[0]), float(powers.d[0]), powers.alpha - powers.beta
    n = c + d - 1.0

    def term(time: float) -> float:
        shifted = powers.alpha + time
        return float(hyp2f1(n, d, n + 1.0, apart / shifted) * np.exp(-n * np.log(shifted)) / n)

    return term(float(powers.start[0])) - term(float(powers.end[0]))


@settings(max_examples=60, deadline=None)
@given(
    beta=st.floats(0.5, 20),
    apart=st.floats(0, 40),
    c=st.floats(0.2, 25),
    d=st.floats(1.1, 4),
    start=st.floats(0, 40),
    length=st.floats(10, 100),
)
def test_the_integral_is_the_difference_of_hypergeometric_functions(
    beta: float, apart: float, c: float, d: float, start: float, length: float
) -> None:
    powers = Powers(beta + apart, beta, one(c), one(d), one(start), one(start + length))
    # The difference itself is good to six digits or so: its terms are nearly equal.
    assert np.exp(powers.log_integral()[0]) == pytest.approx(in_closed_form(powers), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    alpha=st.floats(0.01, 300),
    beta=st.floats(0.01, 300),
    c=st.floats(0.1, 5_000),
    d=st.floats(1.0, 50),
    start=st.floats(0, 300),
    length=st.floats(1e-6, 1000),
)
def test_the_integral_of_neighbouring_stretches_adds_up(
    alpha: float, beta: float, c: float, d: float, start: float, length: float
) -> None:
    cuts = start + length * np.array([0.0, 0.001, 0.03, 0.2, 1.0])
    parts = Powers(alpha, beta, np.full(4, c), np.full(4, d), cuts[:-1], cuts[1:]).log_integral()
    whole = Powers(alpha, beta, one(c), one(d), cuts[:1], cuts[-1:]).log_integral()[0]
    assert np.logaddexp.reduce(parts) == pytest.approx(whole, abs=1e-7)  # 1.01e-8 was seen with alpha at 0.012


def test_hard_customers_and_five_thousand_purchases_are_no_trouble() -> None:
    x = np.array([221.0, 254, 161, 204, 5_000, 5_000, 0])
    t_x = np.array([103.42857, 97.14286, 94.71429, 98.57143, 51, 52, 0])
    age = np.array([103.57143, 97.28571, 98.00, 99.42857, 52, 52, 0])
    for model in (HARD, ParetoNbd(0.5143, 14.1087, 0.2856, 2.8845), ParetoNbd(20, 1e-3, 150, 4_000), CDNOW):
        assert np.all(np.isfinite(model.log_likelihood(x, t_x, age)))
        alive, quiet = model.p_alive(x, t_x, age), model.p_no_purchase(x, t_x, age, 39)
        assert np.all((alive >= 0) & (alive <= 1) & (quiet >= 0) & (quiet <= 1))
        assert alive[-2:] == pytest.approx(1.0)
        assert np.all(np.isfinite(model.expected_purchases(x, t_x, age, 39)))
        assert np.all(np.isfinite(model.discounted_purchases(x, t_x, age, 0.0027)))


def test_forecasts_agree_with_a_simulation() -> None:
    random = np.random.default_rng(4)
    rate, leaving = random.gamma(CDNOW.r, 1 / CDNOW.alpha, 100_000), random.gamma(CDNOW.s, 1 / CDNOW.beta, 100_000)
    stays = random.exponential(1 / leaving)
    x = random.poisson(rate * np.minimum(stays, 20)).astype(float)
    t_x = np.where(x > 0, np.minimum(stays, 20) * random.random(len(x)) ** (1 / np.maximum(x, 1)), 0)
    later = random.poisson(rate * np.clip(stays - 20, 0, 39))
    kinds = [x == 0, (x > 0) & (t_x < 10), (x > 0) & (t_x >= 10), x > 4]
    for kind in kinds:
        seen = x[kind], t_x[kind], np.full(int(kind.sum()), 20.0)
        assert CDNOW.p_alive(*seen).mean() == pytest.approx((stays[kind] > 20).mean(), abs=0.012)
        assert CDNOW.expected_purchases(*seen, 39).mean() == pytest.approx(later[kind].mean(), rel=0.03)
        assert CDNOW.p_no_purchase(*seen, 39).mean() == pytest.approx((later[kind] == 0).mean(), abs=0.012)


def test_silence_makes_leaving_more_probable_and_never_less() -> None:
    ages = np.linspace(30, 3000, 500)
    alive = CDNOW.p_alive(np.full(500, 4.0), np.full(500, 30.0), ages)
    assert alive[0] == pytest.approx(1.0)
    assert np.all(np.diff(alive) < 0)
    quiet = CDNOW.p_no_purchase(np.full(500, 4.0), np.full(500, 30.0), ages, 39)
    assert np.all(np.diff(quiet) > 0)


@pytest.mark.parametrize("p", [0.99, 0.5, 0.05])
@pytest.mark.parametrize("model", [CDNOW, HARD, ParetoNbd(3.0, 50.0, 4.0, 500.0)])
def test_the_crossing_age_is_the_inverse_of_p_alive(model: ParetoNbd, p: float) -> None:
    random = np.random.default_rng(2)
    x, t_x = random.integers(0, 40, 2_000).astype(float), random.uniform(0, 300, 2_000)
    ages = model.crossing_age(x, t_x, p)
    assert np.all(ages > t_x)
    assert model.p_alive(x, t_x, ages) == pytest.approx(np.full(2_000, p), abs=1e-9)


def test_a_base_that_nobody_leaves_holds_the_fit() -> None:
    random = np.random.default_rng(7)
    age = np.full(3_000, 400.0)
    x = random.poisson(random.gamma(3.0, 1 / 60.0, 3_000) * age).astype(float)
    t_x = np.where(x > 0, age * random.random(3_000) ** (1 / np.maximum(x, 1)), 0)
    assert fitted(fit_pareto(Visits(x, t_x, age, np.ones(3_000)))).doubt is Doubt.NO_DROPOUT


def test_too_few_customers_are_not_fitted() -> None:
    assert fit_pareto(Visits(*(np.array([1.0, 2, 3]) for _ in range(4)))) is Doubt.TOO_FEW
