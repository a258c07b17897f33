"""Average effects: Hillstrom's published arms, and what holds of any trial."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.stats import chisquare, ttest_ind

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.effects import (
    NoEffect,
    cuped,
    effect,
    effects,
    sample_ratio,
    standard_error,
    without_outliers,
)
from tests.scoring import hillstrom
from tests.scoring.hillstrom import CONTROL, MENS, WOMENS

amounts = st.lists(st.floats(0, 1e4), min_size=2, max_size=30).map(np.array)


@pytest.mark.parametrize(
    ("arm", "outcome", "difference", "error", "digits"),
    [
        (MENS, "visit", 0.07659, 0.00339, 5),
        (MENS, "conversion", 0.00681, 0.00092, 5),
        (MENS, "spend", 0.770, 0.145, 3),
        (WOMENS, "visit", 0.04523, 0.00323, 5),
        (WOMENS, "conversion", 0.00311, 0.00082, 5),
        (WOMENS, "spend", 0.424, 0.130, 3),
    ],
)
def test_hillstrom_s_effects_are_those_of_the_reference(
    arm: str, outcome: str, difference: float, error: float, digits: int
) -> None:
    treated, control = hillstrom.mailing().of(outcome, arm), hillstrom.mailing().of(outcome, CONTROL)
    assert round(effect(treated, control).estimate, digits) == difference
    assert round(standard_error(treated, control), digits) == error


def test_hillstrom_s_arms_were_drawn_evenly() -> None:
    arm = hillstrom.mailing().arm
    ratio = sample_ratio([int((arm == name).sum()) for name in (WOMENS, MENS, CONTROL)], [1, 1, 1])
    assert (round(ratio.chi_square, 2), round(ratio.p, 2)) == (0.2, 0.9)
    assert not ratio.mismatch


def test_a_split_that_did_not_go_as_planned_is_seen() -> None:
    ratio = sample_ratio([5_300, 4_700], [0.5, 0.5])
    assert ratio.mismatch
    expected = chisquare([5_300, 4_700])
    assert (ratio.chi_square, ratio.p) == pytest.approx((expected.statistic, expected.pvalue))
    assert not sample_ratio([9_030, 970], [0.9, 0.1]).mismatch
    assert sample_ratio([0, 0], [1, 1]).p == 1.0


@pytest.mark.parametrize("shares", [[1.0], [1.0, 0.0], [2.0, -1.0]])
def test_shares_that_cannot_have_been_planned_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="share"):
        sample_ratio([10] * len(shares), shares)


def test_the_interval_is_welch_s() -> None:
    rng = np.random.default_rng(1)
    treated, control = rng.normal(1, 3, 40), rng.normal(0, 1, 15)
    expected = ttest_ind(treated, control, equal_var=False).confidence_interval(0.9)
    found = effect(treated, control, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.estimate == pytest.approx(treated.mean() - control.mean())


@settings(deadline=None)
@given(amounts, amounts)
def test_exchanged_arms_have_the_opposite_effect(treated: Floats, control: Floats) -> None:
    one, other = effect(treated, control), effect(control, treated)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert one.low <= one.estimate <= one.high


def test_an_arm_of_one_customer_has_no_interval() -> None:
    with pytest.raises(NoEffect):
        effect(np.ones(1), np.ones(5))


def test_arms_that_do_not_vary_have_an_interval_without_width() -> None:
    found = effect(np.ones(3), np.zeros(3))
    assert (found.low, found.high) == (1.0, 1.0)


def test_several_arms_at_once_have_wider_intervals() -> None:
    mailing = hillstrom.mailing()
    control = mailing.of("spend", CONTROL)
    arms = {name: mailing.of("spend", name) for name in (MENS, WOMENS)}
    together = effects(arms, control)
    for name, outcome in arms.items():
        alone = effect(outcome, control)
        assert together[name].low < alone.low
        assert together[name] == effect(outcome, control, 0.975)
        assert together[name].excludes_zero


def test_outliers_count_as_the_quantile_of_both_arms_together() -> None:
    treated, control = without_outliers(np.array([1.0, 2.0, 1e6]), np.array([0.0, 1.0, 3.0]), share=0.8)
    assert treated.tolist() == [1.0, 2.0, 3.0]
    assert control.tolist() == [0.0, 1.0, 3.0]
    mailing = hillstrom.mailing()
    men, nobody = mailing.of("spend", MENS), mailing.of("spend", CONTROL)
    capped = without_outliers(men, nobody, share=0.999)
    assert standard_error(*capped) < standard_error(men, nobody)


def test_what_was_known_before_narrows_the_interval_and_leaves_the_effect() -> None:
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        before = rng.gamma(2, 30, 2_000)
        treated = rng.random(2_000) < 0.5
        after = 0.8 * before + rng.normal(0, 10, 2_000) + 2.0 * treated
        adjusted = cuped(after, before)
        assert adjusted.mean() == pytest.approx(after.mean())
        plain, better = (standard_error(y[treated], y[~treated]) for y in (after, adjusted))
        assert better < plain / 3
        found = effect(adjusted[treated], adjusted[~treated])
        held += found.low < 2.0 < found.high
    assert 90 <= held <= 99


def test_a_figure_that_does_not_vary_explains_nothing() -> None:
    outcome = np.array([1.0, 2.0, 4.0])
    assert (cuped(outcome, np.ones(3)) == outcome).all()
