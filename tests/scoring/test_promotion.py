"""Champion and challenger: better beyond doubt, twice, and with probabilities that hold; otherwise all stays."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from services.scoring.domain.fitting import Floats
from services.scoring.domain.promotion import MIN_BLOCKS, Window, compare, gain, log_loss, promoted


def window(seed: int, quality: float, rows: int = 4_000, days: int = 28, shape: float = 1.0) -> Window:
    """The champion knows half of what there is to know, the challenger this part of it."""
    random = np.random.default_rng(seed)
    signal = random.normal(0, 1.5, rows)
    block = np.sort(random.integers(0, days, rows))
    weather = random.normal(0, 0.1, days)[block]
    happened = (random.random(rows) < logistic(signal - 1.0 + weather)).astype(float)
    return compare(blurred(signal, 0.5), blurred(signal, quality) ** shape, happened, block, seed=1)


def blurred(signal: Floats, quality: float) -> Floats:
    """P given a signal of which only a part is seen, the rest of variance 1.5 being averaged over: calibrated."""
    rest = np.sqrt(1 - quality**2) * 1.5
    noise = np.random.default_rng(99).normal(0, 1, len(signal))
    seen = quality**2 * signal + quality * rest * noise
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    averaged: Floats = logistic(seen[:, None] + rest * nodes - 1.0) @ weights / weights.sum()
    return averaged


def logistic(z: Floats) -> Floats:
    p: Floats = 1 / (1 + np.exp(-z))
    return p


def test_a_better_challenger_is_promoted_after_two_windows() -> None:
    windows = [window(seed, 0.9) for seed in (1, 2)]
    assert all(one.gain.low is not None and one.gain.low > 0 for one in windows)
    assert not promoted(windows[:1])
    assert promoted(windows)


def test_an_equal_challenger_is_hardly_ever_promoted() -> None:
    windows = [window(seed, 0.5) for seed in range(3)]
    assert [one.gain.mean for one in windows] == [0, 0, 0]
    random = np.random.default_rng(6)
    better = [low > 0 for _ in range(60) if (low := noise_gain(random)) is not None]
    assert len(better) == 60
    assert sum(better) <= 6


def noise_gain(random: np.random.Generator) -> float | None:
    """Two models that differ by chance alone, day by day."""
    block = np.repeat(np.arange(30), 40)
    return gain(random.normal(0, 1, len(block)) + random.normal(0, 0.5, 30)[block], block, seed=2).low


def test_one_good_window_does_not_do() -> None:
    good, equal = window(1, 0.9), window(2, 0.5)
    assert not promoted([good, equal])
    assert not promoted([good, good, equal])
    assert promoted([equal, good, good])


def test_better_ranking_with_worse_probabilities_does_not_do() -> None:
    sharp = window(1, 0.97, shape=1.35)
    assert sharp.gain.low is not None
    assert sharp.gain.low > 0
    assert not sharp.better


def test_rows_of_few_days_prove_nothing() -> None:
    few = window(1, 0.9, days=MIN_BLOCKS - 1)
    assert few.gain.low is None
    assert not few.better


def test_the_interval_is_that_of_days_and_not_of_rows() -> None:
    random = np.random.default_rng(4)
    block = np.repeat(np.arange(40), 100)
    gains = random.normal(0.1, 0.3, 40)[block] + random.normal(0, 0.1, 4_000)
    found = gain(gains, block, seed=1)
    assert found.low is not None
    assert found.high is not None
    by_day = gains.reshape(40, 100).mean(axis=1)
    half = 1.96 * by_day.std(ddof=1) / np.sqrt(40)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.15)


@given(st.integers(0, 2**32 - 1))
def test_the_same_seed_gives_the_same_interval(seed: int) -> None:
    gains, block = np.linspace(-1, 1, 60), np.arange(60) // 4
    assert gain(gains, block, seed) == gain(gains, block, seed)
    assert gain(np.empty(0), np.empty(0, np.int64), seed).low is None


def test_log_loss_is_finite_for_certainties_that_fail() -> None:
    assert log_loss(np.array([0.0, 1.0, 0.5]), np.array([1.0, 1.0, 0.0])) == pytest.approx(
        [20.72, 0, np.log(2)], abs=0.01
    )
