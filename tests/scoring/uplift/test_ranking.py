"""Qini and uplift curves: scikit-uplift's figures, and what must hold of any ranking."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from services.scoring.domain.fitting import Floats
from services.scoring.domain.uplift.ranking import Ranking, qini_auc, uplift_at, uplift_auc
from services.scoring.domain.uplift.trial import Bools
from tests.scoring.uplift.trials import made

FIGURES = json.loads((Path(__file__).parents[1] / "data" / "uplift_figures.json").read_text())
rows = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(-3, 3)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(treated for treated, _, _ in rows) < len(rows) and any(outcome for _, outcome, _ in rows)
)
Rows = list[tuple[bool, bool, int]]


def columns(rows: Rows) -> tuple[Floats, Floats, Bools]:
    treated, outcome, score = (np.array(column) for column in zip(*rows, strict=True))
    return outcome.astype(np.float64), score.astype(np.float64), treated.astype(bool)


@pytest.mark.parametrize("trial", FIGURES["trials"], ids=lambda trial: trial["name"])
def test_figures_equal_those_of_scikit_uplift(trial: dict[str, list[float]]) -> None:
    outcome, score = np.array(trial["outcome"], dtype=float), np.array(trial["score"], dtype=float)
    treated = np.array(trial["treated"], dtype=bool)
    assert qini_auc(outcome, score, treated) == pytest.approx(trial["qini_auc"], abs=1e-9)
    assert uplift_auc(outcome, score, treated) == pytest.approx(trial["uplift_auc"], abs=1e-9)
    assert uplift_at(0.3, outcome, score, treated) == pytest.approx(trial["uplift_at_30"], abs=1e-9)
    ranking = Ranking.by(score, outcome, treated)
    for curve, expected in (
        (ranking.qini_curve(), trial["qini_curve"]),
        (ranking.uplift_curve(), trial["uplift_curve"]),
    ):
        assert np.array([curve.customers, curve.gain]) == pytest.approx(np.array(expected), abs=1e-9)


def test_the_fixture_has_ties_uneven_arms_and_rare_outcomes() -> None:
    assert {trial["name"] for trial in FIGURES["trials"]} >= {"ties", "uneven arms", "rare outcomes", "harmful", "tiny"}


@settings(deadline=None)
@given(rows)
def test_a_ranking_that_knows_all_outcomes_is_one_and_none_at_all_is_nought(rows: Rows) -> None:
    outcome, _, treated = columns(rows)
    assert qini_auc(outcome, np.where(treated, outcome, -outcome), treated) == pytest.approx(1.0)
    assert qini_auc(outcome, np.zeros(len(outcome)), treated) == pytest.approx(0.0, abs=1e-12)


@settings(deadline=None)
@given(rows)
def test_only_the_order_of_scores_matters(rows: Rows) -> None:
    outcome, score, treated = columns(rows)
    assert qini_auc(outcome, np.exp(score) - 7, treated) == qini_auc(outcome, score, treated)
    assert uplift_auc(outcome, 3 * score, treated) == uplift_auc(outcome, score, treated)


@settings(deadline=None)
@given(rows, st.randoms())
def test_the_order_of_customers_does_not_matter(rows: Rows, random: Random) -> None:
    shuffled = random.sample(rows, len(rows))
    one, other = columns(rows), columns(shuffled)
    assert qini_auc(*one) == pytest.approx(qini_auc(*other), abs=1e-12)
    assert uplift_auc(*one) == pytest.approx(uplift_auc(*other), abs=1e-12)


@settings(deadline=None)
@given(rows, st.data())
def test_a_weight_counts_as_so_many_customers(rows: Rows, data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(rows), max_size=len(rows)))
    outcome, score, treated = columns(rows)
    weighted = Ranking.by(score, outcome, treated).qini_curve(np.array(times, dtype=float))
    again, scores, arms = columns([row for row, n in zip(rows, times, strict=True) for _ in range(n)])
    repeated = Ranking.by(scores, again, arms).qini_curve()
    assert weighted.gain == pytest.approx(repeated.gain)
    assert weighted.customers == pytest.approx(repeated.customers)


def test_where_nothing_came_of_anybody_there_is_nothing_to_rank() -> None:
    treated = np.array([True, False, True])
    assert qini_auc(np.zeros(3), np.arange(3.0), treated) == 0.0


def test_no_uplift_among_customers_of_one_arm() -> None:
    treated = np.array([True, True, False, False])
    assert uplift_at(0.5, np.ones(4), np.array([4.0, 3, 2, 1]), treated) is None


def test_the_true_effect_ranks_better_than_what_else_is_known_of_customers() -> None:
    known = made(20_000, 3)
    trial = known.trial
    by_effect = qini_auc(trial.outcome, known.effect, trial.treated)
    assert by_effect > 0.05
    for feature in (0, 2):
        assert qini_auc(trial.outcome, trial.features[:, feature], trial.treated) < by_effect / 2
