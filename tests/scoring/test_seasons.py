"""The clock of seasons: its derivative, its reading, and that it finds the levels that made a base."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from services.scoring.domain.fitting import Floats
from services.scoring.domain.mbg_nbd import MbgNbd, Visits
from services.scoring.domain.seasons import Clock, _likelihood, fit_seasons

EDGES = np.arange(0.0, 53.0, 13.0)
LEVELS = np.array([0.6, 1.0, 1.6, 0.8])
MODEL = MbgNbd(r=1.5, alpha=6.0, a=0.7, b=3.0)


def simulated(customers: int, seed: int) -> tuple[Visits, Floats]:
    """A year of customers who come evenly over its first half and live by the clock of LEVELS."""
    random = np.random.default_rng(seed)
    shown = np.concatenate([[0.0], np.cumsum(np.diff(EDGES) * LEVELS)])
    rows, bought = [], []
    for _ in range(customers):
        first, rate, p = random.uniform(0, 26), random.gamma(MODEL.r, 1 / MODEL.alpha), random.beta(MODEL.a, MODEL.b)
        reading, days = float(np.interp(first, EDGES, shown)), [first]
        while random.random() >= p:
            reading += random.exponential(1 / rate)
            if reading > shown[-1]:
                break
            days.append(float(np.interp(reading, shown, EDGES)))
        rows.append((len(days) - 1, days[-1] - first, EDGES[-1] - first, 1.0))
        bought += days[1:]
    return Visits(*np.array(rows).T), np.histogram(bought, EDGES)[0].astype(float)


BASE, PURCHASES = simulated(4_000, seed=9)


def test_the_gradient_is_the_derivative() -> None:
    likelihood = _likelihood(BASE, PURCHASES, EDGES)
    at = np.array([1.2, 5.0, 0.9, 2.0, 0.8, 1.1, 1.3])
    error = check_grad(lambda p: likelihood(p)[0], lambda p: likelihood(p)[1], at, epsilon=1e-6)
    assert error < 1e-4 * np.linalg.norm(likelihood(at)[1])


def test_the_levels_that_made_a_base_are_found() -> None:
    fit = fit_seasons(BASE, PURCHASES, EDGES)
    assert fit.converged
    assert fit.clock.levels == pytest.approx(LEVELS, rel=0.1)
    assert fit.clock.levels.mean() == pytest.approx(1.0)
    assert fit.parameters.r / fit.parameters.alpha == pytest.approx(MODEL.r / MODEL.alpha, rel=0.1)


def test_a_steady_clock_changes_nothing() -> None:
    steady = Clock(EDGES, np.ones(4))
    seen = steady.visits(BASE, EDGES[-1])
    assert seen.t_x == pytest.approx(BASE.t_x)
    assert seen.age == pytest.approx(BASE.age)
    assert steady.log_levels(PURCHASES) == 0


def test_time_runs_by_the_level_of_each_period() -> None:
    clock = Clock(np.array([0.0, 10.0, 20.0]), np.array([2.0, 0.5]))
    assert clock.at(np.array([0.0, 5, 10, 16, 20])).tolist() == [0.0, 10.0, 20.0, 23.0, 25.0]
