"""Values of policies that were not followed, from the log of one that drew at random."""

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.off_policy import Log, NoSupport, doubly_robust, snips

MEANS = np.array([[1.0, 3.0, 0.0], [2.0, 0.5, 1.0]])
"""By kind of customer and action."""


def logged(decisions: int, seed: int) -> tuple[Log, Floats, Floats]:
    """A log that preferred the first action, the kind of each customer, and the policy to be judged: the best action."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 2, decisions)
    drawn = np.array([0.6, 0.3, 0.1])
    action = rng.choice(3, decisions, p=drawn)
    reward = MEANS[kind, action] + rng.normal(0, 1, decisions)
    return Log(action, drawn[action], reward), MEANS[kind], np.eye(3)[MEANS[kind].argmax(axis=1)]


def test_both_estimates_find_the_value_of_the_best_policy() -> None:
    log, expected, best = logged(20_000, 1)
    for value in (snips(log, best), doubly_robust(log, best, expected), doubly_robust(log, best, 0 * expected)):
        assert value.reward.low < 2.5 < value.reward.high
        assert value.reward.estimate == pytest.approx(2.5, abs=0.05)


def test_a_model_of_rewards_narrows_the_interval() -> None:
    log, expected, best = logged(5_000, 2)
    without, snipped, modelled = (
        value.reward.high - value.reward.low
        for value in (doubly_robust(log, best, 0 * expected), snips(log, best), doubly_robust(log, best, expected))
    )
    assert modelled < snipped < without / 2


def test_intervals_hold_the_value_as_often_as_they_say() -> None:
    held = {"snips": 0, "dr": 0}
    for seed in range(300):
        log, expected, best = logged(400, seed)
        for name, value in (("snips", snips(log, best)), ("dr", doubly_robust(log, best, 0.5 * expected))):
            held[name] += value.reward.low < 2.5 < value.reward.high
    assert all(0.91 < times / 300 < 0.985 for times in held.values())


def test_the_policy_that_was_followed_has_the_mean_reward() -> None:
    log, _, _ = logged(1_000, 3)
    followed = np.tile([0.6, 0.3, 0.1], (1_000, 1))
    value = snips(log, followed)
    assert value.reward.estimate == pytest.approx(log.reward.mean())
    assert value.effective == pytest.approx(1_000)


def test_normalised_values_move_with_the_rewards() -> None:
    log, _, best = logged(500, 4)
    moved = Log(log.action, log.propensity, log.reward + 100)
    assert snips(moved, best).reward.estimate == pytest.approx(snips(log, best).reward.estimate + 100)


def test_a_policy_that_was_never_seen_at_work_has_no_value() -> None:
    log = Log(np.zeros(3, int), np.ones(3), np.ones(3))
    with pytest.raises(NoSupport):
        snips(log, np.tile([0.0, 1.0], (3, 1)))


@pytest.mark.parametrize("propensity", [[0.0], [1.1], [float("nan")], []])
def test_a_log_without_probabilities_is_refused(propensity: list[float]) -> None:
    n = len(propensity)
    with pytest.raises(NoSupport):
        Log(np.zeros(n, int), np.array(propensity), np.ones(n))
