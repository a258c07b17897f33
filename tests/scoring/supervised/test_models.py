"""Each part of the classifier by itself: encoding, both models, and the mending of probabilities."""

import json

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.special import expit

from services.scoring.domain.fitting import Floats
from services.scoring.domain.supervised.features import MAX_LEVELS, MIN_LEVEL_ROWS, Encoder, Row
from services.scoring.domain.supervised.logistic import Logistic
from services.scoring.domain.supervised.recalibrating import LINE, NONE, STEPS, Calibrator, by_line, by_steps, chosen
from services.scoring.domain.supervised.trees import Trees
from services.scoring.evaluation import metrics
from tests.scoring.supervised.customers import customers

values = st.none() | st.floats(-1e6, 1e6) | st.sampled_from(["a", "b", "c"])
rows_of_any_kind = st.lists(st.dictionaries(st.sampled_from("xyz"), values), max_size=30)


@given(rows_of_any_kind, rows_of_any_kind)
def test_rows_of_any_kind_are_encoded_alike_whatever_comes_with_them(seen: list[Row], others: list[Row]) -> None:
    encoder = Encoder.of(seen)
    together = encoder.matrix([*seen, *others])
    assert together.shape == (len(seen) + len(others), len(encoder.features))
    alone = [encoder.matrix([row])[0] for row in others]
    assert np.array_equal(
        together[len(seen) :], np.array(alone).reshape(len(others), len(encoder.features)), equal_nan=True
    )
    assert Encoder.from_json(json.loads(json.dumps(encoder.as_json()))) == encoder


def test_categories_are_columns_of_zeros_and_ones_and_gaps_are_gaps() -> None:
    monthly: Row = {"plan": "monthly", "visits": 3.0}
    rows = [monthly] * 10 + [{"plan": "yearly"}] * 10 + [{"plan": "free"}] * 10
    encoder = Encoder.of(rows)
    assert encoder.features == ("visits", "plan", "plan", "plan")
    encoded = encoder.matrix([{"plan": "monthly", "visits": 2.0}, {"plan": "unheard of"}, {"visits": "many"}])
    gap = float("nan")
    assert np.array_equal(encoded, np.array([[2, 0, 1, 0], [gap, 0, 0, 0], [gap, 0, 0, 0]]), equal_nan=True)


def test_of_two_texts_one_column_says_all_and_rare_texts_have_none() -> None:
    assert Encoder.of([{"paid": "yes"}, {"paid": "no"}] * MIN_LEVEL_ROWS).levels == (("paid", "yes"),)
    many: list[Row] = [{"town": f"town {i % 50}"} for i in range(50 * MIN_LEVEL_ROWS)]
    assert len(Encoder.of(many).levels) == MAX_LEVELS
    assert Encoder.of([*many[:49], {"town": "elsewhere"}]).levels == ()


def encoded(count: int, seed: int) -> tuple[Floats, Floats, Floats]:
    rows, left, p = customers(count, seed)
    return Encoder.of(rows).matrix(rows), left, p


def test_logistic_regression_bends_where_the_truth_does() -> None:
    matrix, left, _ = encoded(4_000, seed=1)
    model = Logistic.fitted(matrix, left)
    others, _, p = encoded(4_000, seed=2)
    found, known = np.asarray(expit(model.log_odds(others)), dtype=float), ~np.isnan(others[:, 1])
    assert np.mean(np.abs(found - p)[known]) < 0.025
    assert model.missing == (1,)


def test_logistic_contributions_add_up_and_survive_writing_down() -> None:
    matrix, left, _ = encoded(800, seed=1)
    model = Logistic.fitted(matrix, left)
    again = Logistic.from_json(json.loads(json.dumps(model.as_json())))
    assert again.log_odds(matrix).tolist() == model.log_odds(matrix).tolist()
    odds = model.contributions(matrix).sum(axis=1) + model.intercept
    assert odds == pytest.approx(model.log_odds(matrix), abs=1e-9)
    assert model.contributions(matrix).mean(axis=0) == pytest.approx(0, abs=0.05)


def test_columns_that_never_vary_and_columns_of_gaps_do_no_harm() -> None:
    matrix, left, _ = encoded(300, seed=1)
    broken = np.column_stack([matrix, np.full(300, 7.0), np.full(300, np.nan)])
    odds = Logistic.fitted(broken, left).log_odds(broken)
    assert np.isfinite(odds).all()


def test_trees_are_the_same_again_from_the_same_rows_and_their_text_says_all() -> None:
    matrix, left, _ = encoded(800, seed=1)
    first, second = (Trees.fitted(matrix, left, rounds=40, seed=3) for _ in range(2))
    assert first.text == second.text
    assert Trees(first.text).log_odds(matrix).tolist() == second.log_odds(matrix).tolist()
    assert first.contributions(matrix).sum(axis=1) == pytest.approx(first.log_odds(matrix), abs=1e-9)


def said_and_come(bend: float, seed: int, count: int = 4_000, power: float = 1.0) -> tuple[Floats, Floats]:
    """Log-odds that are too certain by a factor, or bent, and what came."""
    random = np.random.default_rng(seed)
    true = random.normal(-1, 1.2, count)
    came = (random.random(count) < expit(np.sign(true) * np.abs(true) ** power)).astype(float)
    return bend * true, came


FOLD = np.arange(4_000) % 5


def test_probabilities_that_hold_are_left_alone() -> None:
    assert [chosen(*said_and_come(1.0, seed), FOLD).kind for seed in range(6)] == [NONE] * 6


def test_too_much_certainty_is_mended_by_a_line_and_a_bend_by_steps() -> None:
    line = chosen(*said_and_come(2.0, 1), FOLD)
    assert line.kind == LINE
    assert line.line[1] == pytest.approx(0.5, abs=0.05)
    said, came = said_and_come(1.0, 1, power=4.0)
    steps = chosen(said, came, FOLD)
    assert steps.kind == STEPS
    before, after = (metrics.ece(np.asarray(p, dtype=float), came) for p in (expit(said), steps.probability(said)))
    assert before is not None
    assert after is not None
    assert after < before / 3


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=2, max_size=50))
def test_mended_probabilities_keep_the_order_and_are_never_certain(pairs: list[tuple[float, bool]]) -> None:
    said, came = np.array([odds for odds, _ in pairs]), np.array([float(y) for _, y in pairs])
    for calibrator in (by_line(said, came), by_steps(said, came), Calibrator()):
        p = calibrator.probability(np.sort(said))
        assert np.diff(p).min(initial=0.0) >= -1e-12
        assert Calibrator.from_json(json.loads(json.dumps(calibrator.as_json()))) == calibrator
    steps = by_steps(said, came).probability(said)
    assert steps.min() > 0
    assert steps.max() < 1
