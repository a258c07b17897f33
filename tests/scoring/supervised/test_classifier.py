"""The classifier as a whole: it finds what there is, says why, is the same again, and holds back where there is nothing."""

import json

import numpy as np
import pytest

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.maturing import Maturity
from services.scoring.domain.supervised.causes import Causes, fit_causes
from services.scoring.domain.supervised.classifier import MIN_CLASS, Classifier, Reason, fit, stratified
from services.scoring.domain.supervised.features import Row
from services.scoring.evaluation import metrics
from tests.scoring.supervised.customers import customers

ROWS, LEFT, _ = customers(1_500, seed=1)
OTHERS, _, TRUTH = customers(1_500, seed=2)


@pytest.fixture(scope="module")
def model() -> Classifier:
    fitted = fit(ROWS, LEFT, seed=7)
    assert isinstance(fitted, Classifier)
    return fitted


def test_others_are_foretold_nearly_as_well_as_can_be(model: Classifier) -> None:
    assert np.mean(np.abs(model.probability(OTHERS) - TRUTH)) < 0.05
    assert model.evidence.loss < 0.9 * model.evidence.base_loss
    assert (model.evidence.rows, model.evidence.happened) == (1_500, int(LEFT.sum()))


def test_the_candidate_that_foretold_best_is_the_model(model: Classifier) -> None:
    assert model.tree_share == min(model.evidence.candidates, key=lambda one: one[1])[0]
    assert [share for share, _ in model.evidence.candidates] == [1.0, 0.5, 0.0]


def test_the_same_rows_and_seed_give_the_same_text(model: Classifier) -> None:
    again = fit(ROWS, LEFT, seed=7)
    assert isinstance(again, Classifier)
    assert again.to_text() == model.to_text()


def test_a_model_read_from_its_text_says_the_same(model: Classifier) -> None:
    again = Classifier.from_text(model.to_text())
    assert again.probability(OTHERS).tolist() == model.probability(OTHERS).tolist()
    assert again.reasons(OTHERS[:50]) == model.reasons(OTHERS[:50])
    assert (again.to_text(), again.evidence) == (model.to_text(), model.evidence)
    assert isinstance(json.loads(model.to_text()), dict)


def test_reasons_add_up_to_the_log_odds(model: Classifier) -> None:
    contributions, base = model.contributions(OTHERS)
    odds = model.calibrator.log_odds(contributions.sum(axis=1) + base)
    assert 1 / (1 + np.exp(-odds)) == pytest.approx(model.probability(OTHERS), abs=1e-9)


def test_the_strongest_reason_is_what_makes_customers_leave(model: Classifier) -> None:
    angry: Row = {"complaints": 6.0, "visits": 6.0, "plan": "yearly", "colour": "colour 1"}
    content: Row = {"complaints": 0.0, "visits": 20.0, "plan": "two years", "colour": "colour 1"}
    (first, *_), (_, *_) = model.reasons([angry, content], top=4)
    assert isinstance(first, Reason)
    assert (first.feature, first.value) == ("complaints", 6.0)
    assert first.contribution > 1
    found = [
        {reason.feature: reason.contribution for reason in told} for told in model.reasons([angry, content], top=4)
    ]
    assert abs(found[0]["colour"]) < 0.3
    assert found[1]["visits"] < 0
    assert found[1]["plan"] < 0


def test_customers_of_whom_nothing_is_known_have_a_probability(model: Classifier) -> None:
    p = model.probability([{}, {"plan": "unheard of", "complaints": None}, {"new feature": 3.0}])
    assert np.isfinite(p).all()
    assert model.probability([]).shape == (0,)
    assert model.reasons([]) == []


def test_labels_by_chance_are_not_learnt() -> None:
    random = np.random.default_rng(5)
    found = [fit(ROWS[:600], random.permutation(LEFT[:600]), seed) for seed in range(3)]
    for one in found:
        if isinstance(one, Classifier):
            said = one.probability(OTHERS)
            assert said.std() < 0.06
    assert Doubt.NO_SIGNAL in found


def test_too_few_leavers_are_a_doubt() -> None:
    few = np.zeros(600)
    few[: MIN_CLASS - 1] = 1
    assert fit(ROWS[:600], few, seed=1) is Doubt.TOO_FEW
    assert fit(ROWS[:600], 1 - few, seed=1) is Doubt.TOO_FEW
    assert fit([], np.empty(0), seed=1) is Doubt.TOO_FEW


def test_rows_in_time_are_tried_forward_only() -> None:
    decided = np.arange(1_500, dtype=np.int64)
    folds = Maturity(horizon=100).folds(decided, now=1_600, count=4)
    model = fit(ROWS, LEFT, seed=1, folds=folds)
    assert isinstance(model, Classifier)
    assert np.mean(np.abs(model.probability(OTHERS) - TRUTH)) < 0.06


def test_folds_hold_equal_shares_of_leavers() -> None:
    folds = stratified(LEFT, 5, seed=3)
    assert sorted(np.concatenate([fold.valid for fold in folds]).tolist()) == list(range(1_500))
    for train, valid in folds:
        assert not {*train.tolist()} & {*valid.tolist()}
        assert LEFT[valid].mean() == pytest.approx(LEFT.mean(), abs=0.005)


def test_leaving_by_choice_and_by_fate_add_up_to_leaving() -> None:
    old = np.array([row["plan"] == "two years" for row in ROWS])
    random = np.random.default_rng(4)
    by_fate = random.random(len(ROWS)) < np.where(old, 0.7, 0.1)
    way = np.where(LEFT == 0, -1, by_fate.astype(int))
    model = fit_causes(ROWS, way, seed=1)
    assert isinstance(model, Causes)
    assert model.fate is not None
    by_choice, fate = model.probabilities(OTHERS)
    assert by_choice + fate == pytest.approx(model.leaving.probability(OTHERS), abs=1e-12)
    share = fate / (by_choice + fate)
    older = np.array([row["plan"] == "two years" for row in OTHERS])
    assert share[older].mean() > 0.5
    assert share[~older].mean() < 0.25
    again = Causes.from_text(model.to_text())
    assert [column.tolist() for column in again.probabilities(OTHERS)] == [by_choice.tolist(), fate.tolist()]


def test_where_nothing_tells_fate_from_choice_its_share_is_everybodys() -> None:
    way = np.where(LEFT == 0, -1, 0)
    way[np.flatnonzero(LEFT)[:10]] = 1
    model = fit_causes(ROWS, way, seed=1)
    assert isinstance(model, Causes)
    assert model.fate is None
    by_choice, fate = model.probabilities(OTHERS)
    assert fate / (by_choice + fate) == pytest.approx(10.5 / (LEFT.sum() + 1), abs=1e-12)
    assert Causes.from_text(model.to_text()).fate is None
    assert fit_causes(ROWS, np.full(len(ROWS), -1), seed=1) is Doubt.TOO_FEW


def test_an_untruthful_ranking_would_be_seen(model: Classifier) -> None:
    """The oracle of this file: how well leavers can be told at all, and that the model comes close."""
    came = (np.random.default_rng(9).random(len(TRUTH)) < TRUTH).astype(float)
    best, ours = metrics.auc(TRUTH, came), metrics.auc(model.probability(OTHERS), came)
    assert best is not None
    assert ours is not None
    assert best - 0.02 < ours <= best + 0.005
