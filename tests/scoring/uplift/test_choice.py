"""The choice of a learner, and of having none."""

from dataclasses import replace

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.choice import calibrate, choose, policy_of, ranked
from services.scoring.domain.uplift.effects import Interval
from services.scoring.domain.uplift.measuring import LINEAR, Effort, Measured, Recipe
from services.scoring.domain.uplift.trial import Trial
from tests.scoring.uplift.trials import chosen, made

QUICK = Effort(divisions=2, parts=3, draws=60)
TWO = (Recipe("T", Linear()), Recipe("CVT", Linear()))


def test_where_effects_differ_uplift_decides_and_the_effects_are_calibrated() -> None:
    choice = chosen(choose(made(6_000, 1, strength=0.3).trial, 0, LINEAR, QUICK))
    assert choice.policy == "by uplift"
    assert choice.chosen.qini.low > 0
    assert choice.gain.low > 0
    new = made(4_000, 2, strength=0.3)
    uplift = choice.uplift(new.trial.features)
    assert np.corrcoef(uplift, new.effect)[0, 1] > 0.9
    assert np.polyfit(uplift, new.effect, 1)[0] == pytest.approx(1.0, abs=0.15)
    assert uplift.mean() == pytest.approx(new.effect.mean(), abs=0.03)


def test_where_effects_are_alike_all_are_treated_alike() -> None:
    choice = chosen(choose(made(6_000, 4, strength=0.0).trial, 0, TWO, QUICK))
    assert choice.policy == "treat all"
    uplift = choice.uplift(np.zeros((5, 3)))
    assert (uplift == choice.whole.estimate).all()
    assert choice.whole.low < 0.1 < choice.whole.high


def test_where_there_is_no_effect_hardly_ever_anybody_is_treated() -> None:
    """Two intervals of 95 % stand in between: one trial in twenty or so may be mistaken, not more."""
    effort = Effort(divisions=1, parts=3, draws=40)
    policies = [chosen(choose(_without_effect(seed), seed, TWO, effort)).policy for seed in range(20)]
    assert policies.count("treat none") >= 16


def _without_effect(seed: int) -> Trial:
    rng = np.random.default_rng(seed)
    outcome = (rng.random(600) < 0.2).astype(np.float64)
    return Trial.even(rng.normal(size=(600, 2)), rng.random(600) < 0.5, outcome)


def test_a_challenger_is_chosen_only_if_it_is_surely_better() -> None:
    recipes = (Recipe("T", Linear()), Recipe("S", Linear(), challenger=True))
    rng = np.random.default_rng(1)
    gains = rng.normal(0.0, 0.01, 200)
    slightly, surely = (
        Measured(np.array([[0.05, 0.05 + gain]]), np.column_stack([np.full(200, 0.05), 0.05 + gain + gains]), 0.95)
        for gain in (0.01, 0.05)
    )
    assert ranked(slightly, recipes) == [0, 1]
    assert ranked(surely, recipes) == [1, 0]
    assert ranked(slightly, (recipes[1], replace(recipes[1]))) == [1, 0]


@pytest.mark.parametrize(
    ("qini", "whole", "policy"),
    [
        ((0.01, 0.1), (-1.0, 1.0), "by uplift"),
        ((-0.01, 0.1), (0.1, 1.0), "treat all"),
        ((-0.01, 0.1), (-1.0, 1.0), "treat none"),
        ((-0.2, -0.1), (-1.0, -0.1), "treat none"),
    ],
)
def test_the_policy_follows_from_the_intervals(
    qini: tuple[float, float], whole: tuple[float, float], policy: str
) -> None:
    assert policy_of(Interval(0.0, *qini), Interval(0.0, *whole)) == policy


def test_the_same_trial_and_seed_give_the_same_choice() -> None:
    trial = made(900, 1).trial
    one, other = (chosen(choose(trial, 3, TWO, QUICK)) for _ in range(2))
    assert one.standings == other.standings
    assert (one.uplift(trial.features) == other.uplift(trial.features)).all()


def test_a_ranking_the_wrong_way_round_is_calibrated_to_none() -> None:
    known = made(5_000, 1, strength=0.3)
    assert calibrate(known.trial, [-known.effect], seed=0).slope == 0.0
    assert calibrate(known.trial, [10 * known.effect], seed=0).slope == pytest.approx(0.1, abs=0.03)
    assert calibrate(known.trial, [np.ones(5_000)], seed=0).effect(np.ones(2)) == pytest.approx(0.1, abs=0.05)


def test_too_few_customers_to_divide_are_not_learnt_from() -> None:
    assert choose(made(80, 2).trial, 0, TWO, QUICK) is Doubt.TOO_FEW
