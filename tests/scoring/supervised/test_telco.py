"""The Telco protocol's bars, on one of its three seeds: `python -m tests.scoring.bars telco` plays all of them."""

import numpy as np

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.contracts.periods import Ints
from services.scoring.domain.fitting import Floats
from services.scoring.domain.supervised.causes import Causes, fit_causes
from services.scoring.domain.supervised.classifier import Classifier, fit
from services.scoring.domain.supervised.leaks import suspects
from services.scoring.evaluation import metrics
from tests.scoring import telco
from tests.scoring.bars.telco import AUC, BRIER, ECE, folds


def figure(value: float | None) -> float:
    assert value is not None
    return value


def test_telco_leavers_are_foretold_as_well_as_the_bars_ask() -> None:
    rows, churned = telco.features(), telco.churned()
    said, aucs, briers = np.empty(len(rows)), [], []
    for train, test in folds(seed=0):
        model = fit([rows[i] for i in train], churned[train], seed=0)
        assert isinstance(model, Classifier)
        said[test] = model.probability([rows[i] for i in test])
        aucs.append(figure(metrics.auc(said[test], churned[test])))
        briers.append(figure(metrics.brier(said[test], churned[test])))
    assert len(rows) == 7_043
    assert np.mean(aucs) >= AUC
    assert np.mean(briers) <= BRIER
    assert figure(Calibration.of(said, churned).ece()) <= ECE


def test_telco_leavers_by_choice_and_by_fate_are_told_apart() -> None:
    rows, ways = telco.features(), telco.ways()
    train, test = folds(seed=0)[0]
    model = fit_causes([rows[i] for i in train], ways[train], seed=0)
    assert isinstance(model, Causes)
    by_choice, by_fate = model.probabilities([rows[i] for i in test])
    assert figure(metrics.auc(by_choice, is_way(ways[test], 0))) > 0.82
    assert 0.5 * is_way(ways[test], 1).sum() < by_fate.sum() < 2 * is_way(ways[test], 1).sum()


def is_way(ways: Ints, way: int) -> Floats:
    return np.where(ways == way, 1.0, 0.0)


def test_a_score_made_with_knowledge_of_who_left_is_recognised() -> None:
    rows = [{**row, "score": score} for row, score in zip(telco.features(), telco.scores().tolist(), strict=True)]
    (leak,) = suspects(rows, telco.churned())
    assert leak.feature == "score"
    assert 0.93 < leak.auc < 0.95
    assert suspects(telco.features(), telco.churned()) == []


def test_names_and_ids_are_no_leak_and_what_only_leavers_have_is_one() -> None:
    churned = telco.churned()
    rows = [
        {"id": f"customer {i}", "reason": "moved" if left else None, "closed": 3.0 if left else None, "one": "same"}
        for i, left in enumerate(churned)
    ]
    assert {leak.feature for leak in suspects(rows, churned)} == {"reason", "closed"}
