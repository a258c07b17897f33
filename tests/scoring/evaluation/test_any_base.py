"""Whatever a base is like, the evaluation ends with finite figures, or none with a reason, and without a warning of numpy."""

import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from services.scoring.evaluation import page, summary
from services.scoring.evaluation.evaluating import evaluate
from services.scoring.evaluation.reading import Unreadable
from tests.scoring.evaluation.files import sales_of

Amounts = dict[str, Callable[[random.Random], float]]
AMOUNTS: Amounts = {
    "usual": lambda dice: dice.lognormvariate(3, 1),
    "equal": lambda _: 9.99,
    "free": lambda _: 0.0,
    "mostly returned": lambda dice: dice.gauss(-5, 30),
    "wholesale": lambda dice: dice.lognormvariate(14, 5),
}


def rows_of(dice: random.Random) -> tuple[list[str], date]:
    customers, rows = dice.choice([1, 2, 49, 50, 60, 300]), dice.choice([1, 60, 300, 2_000])
    span, amount = dice.choice([1, 2, 10, 100, 400, 1_500, 20_000]), AMOUNTS[dice.choice(list(AMOUNTS))]
    first = [dice.random() * span * dice.choice([0, 0.5, 1]) for _ in range(customers)]
    lines = []
    for _ in range(rows):
        who = int(customers * dice.random() ** dice.choice([1, 3]))
        day = int(first[who] + (span - first[who]) * dice.random() * dice.choice([0, 1, 1, 1]))
        lines.append(f"{who},{date.fromordinal(730_000 + day)},{amount(dice):.2f}")
    return lines, date.fromordinal(730_000 + int(span * dice.choice([0, 0.1, 0.5, 0.9])))


@pytest.mark.parametrize("seed", range(40))
def test_any_base_ends_in_figures_or_reasons(tmp_path: Path, seed: int) -> None:
    rows, end = rows_of(random.Random(seed))
    sales = sales_of(tmp_path, rows)
    try:
        periods = sales.period(end, None)
    except Unreadable:  # the calibration's end is the base's last day
        return
    evaluation = evaluate(sales, *periods)
    told = json.loads(json.dumps(summary.as_json(evaluation), allow_nan=False))
    for figures in (told["holdout"], *told["baselines"].values()):
        assert {name for name, figure in figures.items() if figure is None} == set(figures["reasons"])
    assert told["model"] or told["warnings"]
    assert "nan" not in page.html(evaluation)
    assert list(summary.lines(evaluation))
