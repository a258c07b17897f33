"""The whole CDNOW base, 23,570 customers: our models on it give the figures that other implementations gave."""

import numpy as np
import pytest

from services.scoring.domain.gamma_gamma import Spends, SpendsFit, fit_spends
from services.scoring.domain.mbg_nbd import Visits, VisitsFit, fit_visits
from services.scoring.domain.peers import BgNbd, fit_peer
from tests.scoring.evaluation.files import cdnow_base


def cells() -> Visits:
    base = cdnow_base("master")
    (x, t_x, age), customers = np.unique(np.stack([base.x, base.t_x, base.age]), axis=1, return_counts=True)
    return Visits(x, t_x, age, customers.astype(float))


def test_mbg_nbd() -> None:
    fit = fit_visits(cells())
    assert isinstance(fit, VisitsFit)
    assert tuple(vars(fit.parameters).values()) == pytest.approx((0.6371, 7.3103, 0.8075, 1.2284), abs=6e-5, rel=2e-5)
    assert fit.log_likelihood == pytest.approx(-95_336.96, abs=0.006)


def test_bg_nbd() -> None:
    fit = fit_peer(BgNbd, cells())
    assert fit
    assert tuple(vars(fit[0]).values()) == pytest.approx((0.2516, 4.7889, 0.7234, 2.1611), rel=5e-4)
    assert fit[1] == pytest.approx(-95_368.44, abs=0.006)


def test_gamma_gamma() -> None:
    base = cdnow_base("master")
    paid = (base.x > 0) & (base.spend > 0)
    fit = fit_spends(Spends(base.x[paid], base.spend[paid], np.ones(int(paid.sum()))))
    assert isinstance(fit, SpendsFit)
    model = fit.parameters
    assert (model.p, model.q, model.gamma) == pytest.approx((6.2754, 3.6244, 14.9837), abs=6e-5, rel=2e-5)
    assert model.expected_spend(np.zeros(1), np.zeros(1))[0] == pytest.approx(35.83, abs=0.005)
