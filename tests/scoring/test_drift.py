"""The watches: quiet while nothing moves, loud soon after something has."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.drift import Cusum, PageHinkley, Shift, psi, psi_noise, shift
from services.scoring.domain.fitting import Floats

histograms = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=20)


@given(histograms)
def test_psi_is_never_below_zero_and_the_same_both_ways(pairs: list[tuple[int, int]]) -> None:
    left, right = np.array(pairs, dtype=float).T
    assert psi(left, right) >= 0
    assert psi(left, right) == pytest.approx(psi(right, left), abs=1e-12)
    assert psi(left, left) == 0


def test_psi_is_the_textbook_sum() -> None:
    reference, recent = np.array([10_000.0, 30_000, 60_000]), np.array([20_000.0, 30_000, 50_000])
    by_hand = 0.1 * np.log(2) + (-0.1) * np.log(5 / 6)
    assert psi(reference, recent) == pytest.approx(by_hand, rel=1e-3)


def test_few_rows_are_no_shift_and_moved_ones_are() -> None:
    random = np.random.default_rng(5)
    edges = np.linspace(-2, 2, 9)

    def drawn(rows: int, mean: float) -> Floats:
        return np.bincount(np.searchsorted(edges, random.normal(mean, 1, rows)), minlength=10).astype(float)

    reference = drawn(20_000, 0)
    assert np.mean([psi(reference, drawn(100, 0)) for _ in range(200)]) == pytest.approx(
        psi_noise(reference, drawn(100, 0)), rel=0.25
    )
    assert {shift(reference, drawn(200, 0)) for _ in range(20)} == {Shift.NONE}
    assert shift(reference, drawn(5_000, 0.4)) is Shift.MODERATE
    assert shift(reference, drawn(5_000, 0.9)) is Shift.LARGE


def residuals(random: np.random.Generator, rows: int, moved: float) -> Floats:
    p = random.beta(1, 3, rows)
    return (random.random(rows) < p + moved).astype(float) - p


def test_errors_that_stay_as_they_are_raise_no_alarm() -> None:
    watch = PageHinkley().after(residuals(np.random.default_rng(2), 50_000, 0.0))
    assert not watch.alarm
    assert watch.rows == 50_000


@pytest.mark.parametrize("moved", [0.15, -0.15])
def test_errors_that_move_raise_an_alarm_soon(moved: float) -> None:
    random = np.random.default_rng(2)
    watch = PageHinkley().after(residuals(random, 5_000, 0.0)).after(residuals(random, 5_000, moved))
    assert watch.alarm
    assert 5_000 < watch.rows < 6_000
    assert not watch.restarted().alarm


@given(st.lists(st.floats(-1, 1), max_size=200), st.integers(0, 200))
def test_batches_of_rows_are_as_good_as_all_at_once(errors: list[float], cut: int) -> None:
    together, watch = np.array(errors, dtype=float), PageHinkley(threshold=5.0)
    assert watch.after(together[:cut]).after(together[cut:]) == watch.after(together)


@pytest.mark.parametrize(("moved", "steps"), [(0.0, 465), (0.5, 38), (-1.0, 10.4), (1.5, 5.8)])
def test_cusum_runs_as_long_as_published(moved: float, steps: float) -> None:
    """Average run lengths of k = 1/2, h = 5: Montgomery, table 9.3; a shift of zero is a false alarm."""
    random = np.random.default_rng(1)
    runs = []
    for _ in range(120):
        watch = Cusum()
        while not watch.alarm:
            watch = watch.after(400.0 + 20.0 * (random.standard_normal() + moved), 400.0, 400.0)
        runs.append(watch.steps)
        assert moved == 0 or (watch.above > watch.below) == (moved > 0)
    assert np.mean(runs) == pytest.approx(steps, rel=0.25)
