"""Trials: what cannot be one, and parts that are alike."""

import numpy as np
import pytest

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.trial import Bools, NotATrial, Trial
from tests.scoring.uplift.trials import made

FEATURES = np.zeros((4, 1))
ARMS = np.array([True, False, True, False])
OUTCOME = np.array([1.0, 0.0, 0.0, 1.0])
HALF = np.full(4, 0.5)


def test_parts_have_the_same_arms_and_outcomes_to_one_customer() -> None:
    trial = made(1_003, 1).trial
    fold = trial.folds(5, seed=3)
    for treated in (True, False):
        for outcome in (0.0, 1.0):
            sizes = np.bincount(fold[(trial.treated == treated) & (trial.outcome == outcome)], minlength=5)
            assert sizes.max() - sizes.min() <= 1
    assert (fold == trial.folds(5, seed=3)).all()
    assert (fold != trial.folds(5, seed=4)).any()


def test_every_customer_is_kept_out_once() -> None:
    trial = made(101, 1).trial
    out = np.sum([which for _, which in trial.splits(5, seed=0)], axis=0)
    assert (out == 1).all()
    assert [len(others) for others, _ in trial.splits(5, seed=0)] == [
        101 - int((trial.folds(5, 0) == k).sum()) for k in range(5)
    ]


@pytest.mark.parametrize(
    ("features", "arms", "outcome", "propensity"),
    [
        (FEATURES, np.ones(4, bool), OUTCOME, HALF),
        (FEATURES, np.zeros(4, bool), OUTCOME, HALF),
        (FEATURES[:3], ARMS, OUTCOME, HALF),
        (FEATURES, ARMS, OUTCOME, np.array([0.5, 0.5, 0.5, 1.0])),
        (FEATURES, ARMS, OUTCOME * np.nan, HALF),
        (FEATURES + np.inf, ARMS, OUTCOME, HALF),
    ],
)
def test_customers_from_whom_no_effect_can_be_learnt_are_refused(
    features: Floats,
    arms: Bools,
    outcome: Floats,
    propensity: Floats,
) -> None:
    with pytest.raises(NotATrial):
        Trial(features, arms, outcome, propensity)


def test_outcomes_of_nought_and_one_are_told_from_amounts() -> None:
    assert made(50, 1).trial.binary
    assert not made(50, 1, amounts=True).trial.binary
