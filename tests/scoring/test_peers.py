"""BG/NBD and Pareto/NBD against published estimates and values (Fader, Hardie, Lee 2005; BTYD and CLVTools)."""

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_nbd import Visits
from services.scoring.domain.peers import BgNbd, ParetoNbd, fit_peer
from tests.scoring.evaluation.files import cdnow

PARETO = ParetoNbd(0.5532895, 10.5776, 0.6061626, 11.6688)
BG = BgNbd(0.242595, 4.413532, 0.792919, 2.425897)


def one(value: float) -> Floats:
    return np.array([float(value)])


def whole_sample() -> Visits:
    return cdnow("sample").split.base.visits()


@pytest.mark.parametrize(
    ("family", "parameters", "log_likelihood"),
    [(BgNbd, (0.2426, 4.4136, 0.7929, 2.4259), -9582.43), (ParetoNbd, (0.5533, 10.5777, 0.6062, 11.6688), -9594.98)],
)
def test_the_cdnow_sample_gives_the_published_estimates(
    family: type[BgNbd | ParetoNbd], parameters: tuple[float, ...], log_likelihood: float
) -> None:
    fit = fit_peer(family, whole_sample())
    assert fit
    assert tuple(vars(fit[0]).values()) == pytest.approx(parameters, rel=1e-3)
    assert fit[1] == pytest.approx(log_likelihood, abs=0.006)


def test_pareto_nbd_gives_the_values_of_the_btyd_walkthrough() -> None:
    x, t_x, age = one(26), one(30.85714), one(31)
    assert PARETO.expected_purchases(x, t_x, age, 52)[0] == pytest.approx(25.45647, abs=2e-3)
    assert PARETO.p_alive(x, t_x, age)[0] == pytest.approx(0.997874, abs=2e-6)
    assert PARETO.p_alive(one(0), one(0), one(39))[0] == pytest.approx(0.2941633, abs=2e-4)


def test_the_paradox_of_increasing_frequency_has_the_printed_values() -> None:
    x, t_x, age = np.array([10.0, 15, 20, 25]), np.full(4, 20.0), np.full(4, 39.0)
    pareto = [0.7062289, 0.1442396, 0.02250658, 0.00309267]
    bg = [0.3474606, 0.04283391, 0.004158973, 0.0003583685]
    assert PARETO.expected_purchases(x, t_x, age, 52) == pytest.approx(pareto, rel=2e-3)
    assert BG.expected_purchases(x, t_x, age, 52) == pytest.approx(bg, rel=2e-3)


def test_single_customers_agree_with_the_reference_values() -> None:
    seen, quiet = (one(2), one(30.43), one(38.86)), (one(0), one(0), one(38.86))
    assert BG.expected_purchases(*seen, 39)[0] == pytest.approx(1.22602817, abs=2e-4)
    assert BG.p_alive(one(1), one(1.71), one(38.86))[0] == pytest.approx(0.212227, abs=2e-5)
    assert BG.expected_purchases(one(1), one(1.71), one(38.86), 39)[0] == pytest.approx(0.203251, abs=2e-5)
    assert PARETO.p_alive(*seen)[0] == pytest.approx(0.869115, abs=5e-5)
    assert PARETO.expected_purchases(*seen, 39)[0] == pytest.approx(1.455100, abs=5e-4)
    assert PARETO.p_alive(*quiet)[0] == pytest.approx(0.295096, abs=2e-4)
    assert PARETO.expected_purchases(*quiet, 39)[0] == pytest.approx(0.107059, abs=2e-4)


def test_numerically_hard_customers_are_finite() -> None:
    hard = ParetoNbd(0.5143, 2.8845, 0.2856, 14.1087)
    x = np.array([221.0, 254, 161, 204, 5_000])
    t_x = np.array([103.42857, 97.14286, 94.71429, 98.57143, 51])
    age = np.array([103.57143, 97.28571, 98.00, 99.42857, 52])
    for model in (hard, ParetoNbd(0.5143, 14.1087, 0.2856, 2.8845), BG):
        assert np.all(np.isfinite(model.log_likelihood(x, t_x, age)))
        assert np.all((model.p_alive(x, t_x, age) >= 0) & (model.p_alive(x, t_x, age) <= 1))
        assert np.all(np.isfinite(model.expected_purchases(x, t_x, age, 39)))


def test_the_probability_of_a_purchase_agrees_with_a_simulation() -> None:
    random = np.random.default_rng(4)
    rate, gone = random.gamma(PARETO.r, 1 / PARETO.alpha, 200_000), random.gamma(PARETO.s, 1 / PARETO.beta, 200_000)
    came = random.exponential(1 / rate) < np.minimum(random.exponential(1 / gone), 39.0)
    assert 1 - PARETO.p_no_purchase(one(0), one(0), one(0), 39)[0] == pytest.approx(came.mean(), abs=0.004)


def test_a_new_customer_is_expected_to_buy_in_a_year_what_is_printed() -> None:
    assert PARETO.expected_purchases(one(0), one(0), one(0), 52)[0] == pytest.approx(1.473434, abs=2e-4)
