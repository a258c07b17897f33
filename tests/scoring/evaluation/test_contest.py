"""Which model a base is given, on real households and on customers with a rhythm."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from services.scoring.evaluation.contest import Contest, Entry, hold
from services.scoring.evaluation.dates import EPOCH
from services.scoring.evaluation.evaluating import Evaluation, evaluate
from services.scoring.evaluation.reading import Columns, read_sales
from services.scoring.evaluation.splitting import split
from tests.scoring.evaluation.files import day, sales_of

GROCERIES = Path(__file__).parents[3] / "demo" / "data" / "transactions.csv.gz"


@pytest.fixture(scope="module")
def groceries() -> Evaluation:
    sales = read_sales(GROCERIES, Columns("household_id", "transaction_timestamp", "sales_value"))
    return evaluate(sales, day("2017-09-30"), day("2017-12-31"))


def test_a_rhythm_that_only_looks_likely_is_not_believed(groceries: Evaluation) -> None:
    contest, models = groceries.contest, groceries.models
    likely = max(contest.entries, key=lambda entry: entry.candidate.log_likelihood)
    assert groceries.chosen
    assert (groceries.chosen.candidate.name, likely.name) == ("mbg-nbd", "mbg-cnbd-2")
    assert "last quarter" in contest.rhythm
    ours, theirs = models["mbg-nbd"].accuracy.figures, models["mbg-cnbd-2"].accuracy.figures
    assert all((ours[name] or 0) < (theirs[name] or 0) for name in ("mae_of_expectation", "rmse", "brier", "ece"))


def test_real_households_are_forecast_within_five_percent(groceries: Evaluation) -> None:
    assert groceries.judged
    figures = groceries.judged.accuracy.figures
    assert abs(figures["total_error"] or 1) < 0.05
    assert (figures["ece"] or 1) < 0.04


def test_a_rhythm_that_is_there_is_found(tmp_path: Path) -> None:
    random, rows = np.random.default_rng(11), []
    for number, rate in enumerate(random.gamma(4.0, 1 / 40, 1_200)):
        at, leaving = random.uniform(0, 200), random.beta(0.7, 6.0)
        while at < 400:
            rows.append(f"c{number},{date.fromordinal(day('2024-01-01') + EPOCH + int(at))},9")
            at += random.gamma(4, 1 / (rate * 1.2)) if random.random() > leaving else 400
    contest: Contest = hold(split(sales_of(tmp_path, rows), day("2024-11-30"), day("2025-01-31")))
    assert isinstance(contest.winner, Entry)
    assert contest.winner.candidate.model.k >= 3
