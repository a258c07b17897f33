"""Learners: they find effects that are there, whatever the share of the treated, and say the same when read again."""

import json

import numpy as np
import pytest

from services.scoring.domain.uplift.bases import Base, Boosted, Constant, Linear
from services.scoring.domain.uplift.learners import Learner, doubly_robust_effects, learn, scorer_of, written
from services.scoring.domain.uplift.ranking import qini_auc
from services.scoring.domain.uplift.trial import Trial
from tests.scoring.uplift.trials import made

UPLIFT: tuple[Learner, ...] = ("S", "T", "DR", "CVT")
BASES: tuple[Base, ...] = (Linear(), Boosted(trees=40))


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
@pytest.mark.parametrize("learner", UPLIFT)
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_learner_finds_the_effect_in_customers_it_has_not_seen(learner: Learner, base: Base, share: float) -> None:
    scorer = learn(learner, base, made(12_000, 1, share=share).trial, seed=0)
    new = made(4_000, 2, share=share)
    uplift = scorer.predict(new.trial.features)
    assert np.corrcoef(uplift, new.effect)[0, 1] > 0.8
    assert uplift.mean() == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("learner", UPLIFT)
def test_a_learner_finds_the_effect_on_amounts(learner: Learner) -> None:
    scorer = learn(learner, Linear(), made(20_000, 1, amounts=True).trial, seed=0)
    new = made(2_000, 2, amounts=True)
    uplift = scorer.predict(new.trial.features)
    assert np.corrcoef(uplift, new.effect)[0, 1] > 0.8
    assert uplift.mean() == pytest.approx(2.0, abs=0.6)


def test_the_response_model_follows_the_outcome_and_not_the_effect() -> None:
    trial = made(12_000, 1).trial
    score = learn("response", Linear(), trial, seed=0).predict(trial.features)
    assert np.corrcoef(score, trial.features[:, 0])[0, 1] > 0.7
    uplift = learn("T", Linear(), trial, seed=0).predict(trial.features)
    new = made(12_000, 2).trial
    assert np.corrcoef(uplift, score)[0, 1] < 0.8
    assert qini_auc(new.outcome, new.features[:, 1], new.treated) > qini_auc(
        new.outcome, new.features[:, 0], new.treated
    )


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
@pytest.mark.parametrize("learner", [*UPLIFT, "response"])
def test_a_scorer_written_down_and_read_again_says_the_same(learner: Learner, base: Base) -> None:
    trial = made(600, 5).trial
    scorer = learn(learner, base, trial, seed=0)
    again = scorer_of(json.loads(json.dumps(written(scorer))))
    assert (again.predict(trial.features) == scorer.predict(trial.features)).all()


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
@pytest.mark.parametrize("learner", UPLIFT)
def test_the_same_trial_and_seed_give_the_same_scores(learner: Learner, base: Base) -> None:
    trial = made(600, 5).trial
    one, other = (learn(learner, base, trial, seed=7).predict(trial.features) for _ in range(2))
    assert (one == other).all()


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_doubly_robust_effects_have_the_effect_as_their_mean_even_by_a_senseless_regression(share: float) -> None:
    known = made(40_000, 3, share=share)
    senseless = Linear(penalty=1e9)
    for base in (Linear(), senseless):
        assert doubly_robust_effects(base, known.trial, 0).mean() == pytest.approx(known.effect.mean(), abs=0.012)


def test_propensities_that_differ_between_customers_are_allowed_for() -> None:
    """Good customers are treated more often: the arms' difference of means is no effect, the learner's is."""
    rng = np.random.default_rng(4)
    features = rng.uniform(-1, 1, (30_000, 1))
    propensity = np.where(features[:, 0] > 0, 0.8, 0.2)
    treated = rng.random(30_000) < propensity
    outcome = (rng.random(30_000) < 0.5 + 0.3 * features[:, 0]).astype(np.float64)
    assert outcome[treated].mean() - outcome[~treated].mean() > 0.1
    scorer = learn("DR", Linear(), Trial(features, treated, outcome, propensity), seed=0)
    assert scorer.predict(features).mean() == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.name)
def test_where_nothing_varies_the_prediction_is_constant(base: Base) -> None:
    fitted = base.fit(np.zeros((30, 2)), np.ones(30), np.ones(30), binary=True, seed=0)
    assert fitted == Constant(1.0)
    with_constant_feature = base.fit(np.zeros((30, 2)), np.tile([0.0, 1.0], 15), np.ones(30), binary=True, seed=0)
    assert with_constant_feature.predict(np.zeros((3, 2))) == pytest.approx(0.5, abs=1e-6)


def test_a_penalty_makes_differences_smaller() -> None:
    trial = made(3_000, 1).trial
    free, held = (learn("T", Linear(penalty), trial, 0).predict(trial.features).std() for penalty in (1e-6, 1.0))
    assert held < free / 2


def test_a_feature_that_tells_the_outcome_for_certain_is_no_trouble() -> None:
    features = np.linspace(-1e9, 1e9, 400, dtype=np.float64)[:, None]
    fitted = Linear(1e-3).fit(features, (features[:, 0] > 0).astype(np.float64), np.ones(400), binary=True, seed=0)
    assert fitted.predict(np.array([[-1e12], [1e12]])) == pytest.approx([0.0, 1.0], abs=1e-3)
