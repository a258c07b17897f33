"""`rapport scoring evaluate` at the terminal: what it prints and writes, and what it refuses in words."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.local.cli import app
from tests.scoring.evaluation.files import DATA, written

COLUMNS = ("--customer", "customer", "--date", "date", "--amount", "amount")


def evaluate(file: Path, *options: str, end: str = "1997-09-30") -> Result:
    return CliRunner().invoke(app, ("scoring", "evaluate", str(file), *COLUMNS, "--calibration-end", end, *options))


def test_the_models_are_judged_on_a_file_without_a_platform(tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "page.html"
    result = evaluate(DATA / "cdnow_sample.csv.gz", "--json", str(figures), "--html", str(page))
    assert result.exit_code == 0, result.output
    assert (
        "mbg-nbd+calendar+pace: log-likelihood of the calibration -9,559.7, against mbg-nbd -9,582.1" in result.output
    )
    told = json.loads(figures.read_text())
    assert {"model", "parameters", "log_likelihood", "warnings", "holdout", "baselines", "choice"} <= set(told)
    wanted = {"customers", "transactions", "mae", "rmse", "correlation", "total_error", "auc", "brier", "ece"}
    assert wanted | {"mae_of_expectation", "total_error_of_whole"} <= set(told["holdout"])
    assert told["choice"]["pace"]["used"]
    assert "whole purchase days" in told["whole"]
    assert all(wanted <= set(rule) for rule in told["baselines"].values())
    assert page.read_text().count("<svg") == 4


def test_the_holdout_ends_where_it_is_told_to(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    evaluate(DATA / "cdnow_sample.csv.gz", "--holdout-end", "1997-12-30", "--json", str(figures))
    told = json.loads(figures.read_text())
    assert told["periods"] == {
        "calibration": ["1997-01-01", "1997-09-30"],
        "holdout": ["1997-10-01", "1997-12-30"],
        "holdout_weeks": 13.0,
    }
    assert told["data"]["rows_after_holdout"] > 0


@pytest.mark.parametrize(
    ("rows", "header", "end", "words"),
    [
        (["a,2024-01-01,5"], "customer,date,paid", "2024-01-01", "no column 'amount'"),
        (["a,2024-01-01,5"], "customer,date,amount", "2024-01-01", "nothing lies between"),
        (["a,soon,5"], "customer,date,amount", "2024-01-01", "1 times unreadable date"),
        ([], "customer,date,amount", "2024-01-01", "there are none"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_one_sentence(
    tmp_path: Path, rows: list[str], header: str, end: str, words: str
) -> None:
    result = evaluate(written(tmp_path, rows, header), end=end)
    assert result.exit_code == 1
    assert words in result.output
    assert "Traceback" not in result.output


def test_a_file_that_cannot_be_written_is_told_after_the_figures(tmp_path: Path) -> None:
    result = evaluate(DATA / "cdnow_sample.csv.gz", "--json", str(tmp_path / "nowhere" / "figures.json"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert "total_error" in result.output
