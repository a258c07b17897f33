"""What must be reached on published sets, on registers with households and on hard ones, at the automatic threshold, with nothing said."""

import pytest

from services.contacts.domain.matching.decide import Thresholds
from services.contacts.evaluation.duplicates import evaluate
from services.contacts.evaluation.reading import Records
from tests.bench.duplicates.sets import load


@pytest.mark.parametrize(
    ("name", "precision", "f1"),
    [
        ("febrl4", 0.999, 0.999),
        ("febrl3", 0.999, 0.997),
        ("febrl4 without identifier", 0.999, 0.99),
        ("febrl3 without identifier", 0.999, 0.99),
        ("splink_fake", 0.95, 0.93),
        ("households", 0.98, 0.93),
        ("history of 3000", 0.95, 0.90),
        ("history, names in full of 3000", 0.95, 0.90),
        ("voters of 3000", 0.95, 0.93),
        ("patients of 3000", 0.95, 0.95),
        ("orders of 3000", 0.95, 0.95),
        ("suppliers of 3000", 0.95, 0.80),
    ],
)
def test_the_bars_are_reached(name: str, precision: float, f1: float) -> None:
    data = load(name)
    found = evaluate(Records(data.columns, list(range(len(data.truth)))), Thresholds()).found
    figures = data.figures(found.clusters)
    assert figures["precision"] >= precision
    assert figures["F1"] >= f1
