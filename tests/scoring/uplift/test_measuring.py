"""Intervals of many learners at once: the best of dice does not pass for a learner."""

from dataclasses import replace

import numpy as np

from services.scoring.domain.uplift.bases import Linear
from services.scoring.domain.uplift.learners import learn
from services.scoring.domain.uplift.measuring import Effort, Measured, Recipe, cross_fitted
from services.scoring.domain.uplift.ranking import qini_auc
from tests.scoring.uplift.trials import made

DICE = 8


def test_the_best_of_eight_dice_seldom_looks_better_than_chance_though_each_alone_often_would() -> None:
    fooled, fooled_alone = 0, 0
    effort = Effort(draws=60)
    for seed in range(50):
        rng = np.random.default_rng(seed)
        trial = made(300, seed, strength=0.0).trial
        measured = Measured.of(trial, [rng.random((DICE, len(trial)))], effort, seed)
        best = measured.best_first(DICE)[0]
        fooled += measured.among(DICE)[best].low > 0
        fooled_alone += measured.alone(best).low > 0
    assert fooled <= 4
    assert fooled_alone > 4


def test_a_ranking_that_is_there_is_seen() -> None:
    known = made(4_000, 1, strength=0.3)
    rng = np.random.default_rng(1)
    scores = np.vstack([known.effect, rng.random((3, 4_000))])
    measured = Measured.of(known.trial, [scores], Effort(draws=100), seed=0)
    assert measured.best_first(4)[0] == 0
    assert measured.among(4)[0].low > 0
    assert measured.gain(0, over=1).low > 0
    assert measured.among(4)[0].estimate == qini_auc(known.trial.outcome, known.effect, known.trial.treated)


def test_divisions_that_disagree_widen_the_interval() -> None:
    known = made(1_000, 1)
    agree = Measured.of(known.trial, [known.effect[None]] * 2, Effort(draws=50), seed=0)
    disagree = replace(agree, once=agree.once + np.array([[-0.1], [0.1]]))
    assert disagree.alone(0).low < agree.alone(0).low


def test_scores_without_differences_have_a_qini_of_nought_and_an_interval_without_width() -> None:
    trial = made(300, 1).trial
    measured = Measured.of(trial, [np.zeros((1, 300))], Effort(draws=20), seed=0)
    interval = measured.alone(0)
    assert abs(interval.estimate) < 1e-12
    assert interval.high - interval.low < 1e-12


def test_customers_are_scored_by_learners_that_have_not_seen_them() -> None:
    trial = made(500, 1).trial
    recipe = Recipe("T", Linear())
    scores = cross_fitted([recipe], trial, 5, seed=2)[0]
    for others, out in trial.splits(5, seed=2):
        assert (scores[out] == learn("T", Linear(), others, 2).predict(trial.features[out])).all()
