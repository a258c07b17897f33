"""Our Gamma-Gamma against published estimates and per-customer values."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.gamma_gamma import GammaGamma, Spends, SpendsFit, fit_spends, likelihood_of
from tests.scoring import cdnow

NOTE_025 = GammaGamma(p=6.25, q=3.74, gamma=15.44)


def fitted(fit: SpendsFit | Doubt) -> SpendsFit:
    assert isinstance(fit, SpendsFit)
    return fit


def test_the_cdnow_sample_gives_the_published_estimates() -> None:
    spends = cdnow.spends()
    fit = fitted(fit_spends(spends))
    assert len(spends.x) == 946
    assert fit.doubt is None
    model = fit.parameters
    # The file rounds mean spend to cents; from the exact transactions the fit gives 6.2496 3.7442 15.4435, -4055.9177.
    assert (model.p, model.q, model.gamma) == pytest.approx((6.2496, 3.7442, 15.4435), rel=4e-4)
    assert fit.log_likelihood == pytest.approx(-4055.9177, abs=6e-3)


def test_the_first_ten_customers_are_expected_to_spend_what_the_note_prints() -> None:
    x = np.array([2, 1, 0, 0, 0, 7, 1, 0, 2, 0], dtype=float)
    z = np.array([22.35, 11.77, 0, 0, 0, 73.74, 11.77, 0, 25.55, 0])
    with_rounded = [24.66, 18.92, 35.22, 35.22, 35.22, 71.47, 18.92, 35.22, 27.29, 35.22]
    printed = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17]
    assert NOTE_025.expected_spend(x, z) == pytest.approx(printed, abs=0.1)
    assert NOTE_025.expected_spend(x, z) == pytest.approx(with_rounded, abs=0.006)


def test_the_gradient_is_the_derivative() -> None:
    likelihood = likelihood_of(cdnow.spends())
    at = np.array([5.0, 3.0, 12.0])
    error = check_grad(lambda p: likelihood(p)[0], lambda p: likelihood(p)[1], at, epsilon=1e-6)
    assert error < 1e-3 * np.linalg.norm(likelihood(at)[1])


def test_the_unit_of_money_changes_gamma_only() -> None:
    dollars = cdnow.spends()
    cents = Spends(dollars.x, 100 * dollars.z, dollars.customers)
    one, hundred = fitted(fit_spends(dollars)).parameters, fitted(fit_spends(cents)).parameters
    assert hundred.gamma == pytest.approx(100 * one.gamma, rel=1e-3)
    assert hundred.q == pytest.approx(one.q, rel=1e-3)


def test_a_base_where_everybody_always_spends_the_same_holds_the_fit() -> None:
    same = Spends(np.full(200, 3.0), np.full(200, 9.99), np.ones(200))
    fit = fit_spends(same)
    assert fitted(fit).doubt is not None


def test_too_few_customers_are_not_fitted() -> None:
    assert fit_spends(Spends(*(np.array([1.0, 2]) for _ in range(3)))) is Doubt.TOO_FEW
