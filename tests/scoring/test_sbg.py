"""Our sBG against the two cohorts of Fader and Hardie 2007, and a simulation."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.special import hyp2f1

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.sbg import Contracts, ContractsFit, Sbg, fit_contracts, likelihood_of

# Customers of 1,000 who are still there after so many years: Fader, Hardie 2007.
HIGH_END = (1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173)


def contracts(still_there: tuple[int, ...], years: int = 7) -> Contracts:
    there = np.array(still_there[: years + 1], dtype=float)
    renewed = np.zeros(years)
    renewed[-1] = there[-1]
    return Contracts(np.arange(1.0, years + 1), -np.diff(there), renewed)


def fitted(fit: ContractsFit | Doubt) -> ContractsFit:
    assert isinstance(fit, ContractsFit)
    return fit


@pytest.mark.parametrize(
    ("cohort", "a", "b", "log_likelihood", "twelve_years"),
    [(HIGH_END, 0.668, 3.806, -1611.2, 0.378), (REGULAR, 0.704, 1.182, -1680.3, 0.170)],
)
def test_seven_years_give_the_published_estimates_and_forecast_twelve(
    cohort: tuple[int, ...], a: float, b: float, log_likelihood: float, twelve_years: float
) -> None:
    fit = fitted(fit_contracts(contracts(cohort)))
    model = fit.parameters
    assert fit.doubt is None
    assert (round(model.a, 3), round(model.b, 3), round(fit.log_likelihood, 1)) == (a, b, log_likelihood)
    assert round(float(model.survival(np.array(12.0))), 3) == twelve_years
    assert abs(model.survival(np.array(12.0)) - cohort[12] / 1000) < 0.017


@pytest.mark.parametrize(
    ("cohort", "payments"),
    [(HIGH_END, [5.4145, 5.9014, 6.2939, 6.6199, 6.8967]), (REGULAR, [2.9644, 4.1031, 4.8698, 5.4421, 5.8941])],
)
def test_payments_to_come_have_the_reference_values(cohort: tuple[int, ...], payments: list[float]) -> None:
    model = fitted(fit_contracts(contracts(cohort))).parameters
    assert model.residual_payments(np.arange(1.0, 6.0), 0.1) == pytest.approx(payments, abs=5.1e-5)


@pytest.mark.parametrize("discount", [0.002, 0.1, 0.5])
@pytest.mark.parametrize("n", [1, 3, 40])
def test_payments_to_come_are_the_closed_form_and_the_sum_that_it_stands_for(n: int, discount: float) -> None:
    model, z = Sbg(1.4, 2.0), 1 / (1 + discount)
    payments = model.residual_payments(np.array([float(n)]), discount)[0]
    closed = model.retention(np.array(float(n))) * hyp2f1(1, model.b + n, model.a + model.b + n, z)
    assert payments == pytest.approx(closed, rel=1e-8)
    years = np.arange(n, n + 30_000.0)
    summed = np.sum(model.survival(years) / model.survival(np.array(n - 1.0)) * z ** (years - n))
    assert payments == pytest.approx(summed, rel=1e-6)


def test_survival_is_what_is_left_after_all_ends_and_retention_their_ratio() -> None:
    model, t = Sbg(0.7, 1.2), np.arange(1.0, 30.0)
    assert model.survival(t) == pytest.approx(1 - np.cumsum(model.p_end(t)))
    assert model.retention(t) == pytest.approx(model.survival(t) / model.survival(t - 1))
    assert np.all(np.diff(model.retention(t)) > 0)


def test_renewals_to_come_agree_with_a_simulation() -> None:
    random, model = np.random.default_rng(8), Sbg(0.668, 3.806)
    renewals = random.geometric(np.maximum(random.beta(model.a, model.b, 300_000), 1e-9)) - 1
    for n in (1, 4):
        about_to_decide = renewals[renewals >= n - 1] - (n - 1)
        expected = model.residual_periods(np.array([float(n)]), 10)[0]
        assert expected == pytest.approx(np.minimum(about_to_decide, 10).mean(), rel=0.01)


def test_renewals_without_end_are_the_closed_form() -> None:
    model = Sbg(4.0, 3.0)
    assert model.residual_periods(np.array([2.0]), 100_000)[0] == pytest.approx((model.b + 1) / (model.a - 1), rel=1e-6)


def test_the_gradient_is_the_derivative() -> None:
    likelihood, at = likelihood_of(contracts(REGULAR)), np.array([1.0, 0.9])
    error = check_grad(lambda p: likelihood(p)[0], lambda p: likelihood(p)[1], at, epsilon=1e-6)
    assert error < 1e-3 * np.linalg.norm(likelihood(at)[1])


def test_customers_who_are_all_alike_hold_the_fit() -> None:
    there = tuple(round(1_000_000 * 0.8**year) for year in range(8))
    assert fitted(fit_contracts(contracts(there))).doubt is Doubt.ALL_ALIKE


def test_one_year_or_a_handful_of_losses_are_not_fitted() -> None:
    assert fit_contracts(contracts(HIGH_END, years=1)) is Doubt.TOO_FEW
    assert fit_contracts(contracts((30, 25, 20, 15), years=3)) is Doubt.TOO_FEW
