"""RFM on real customers: the CDNOW sample, half of whom bought once."""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.rfm import SEGMENTS, Base, Quintiles, cells, moves, named

FILE = Path(__file__).parents[1] / "data" / "cdnow_sample.csv.gz"


@pytest.fixture(scope="module")
def customers() -> list[Purchases]:
    orders: dict[str, list[Order]] = defaultdict(list)
    with gzip.open(FILE, "rt") as file:
        for row in csv.DictReader(file):
            at = datetime.fromisoformat(row["date"]).replace(tzinfo=UTC)
            orders[row["customer"]].append(Order(at, Decimal(row["amount"])))
    return [Purchases.of(theirs) for theirs in orders.values()]


def test_fifths_are_fifths_where_customers_differ_and_who_bought_once_is_one(customers: list[Purchases]) -> None:
    base = Base().plus(moves((Purchases(), one) for one in customers))
    codes = Quintiles(base).codes(cells(customers))
    shares = [np.bincount(column, minlength=6)[1:] / len(customers) for column in codes.T]
    assert shares[0] == pytest.approx(np.full(5, 0.2), abs=0.02)
    assert shares[2] == pytest.approx(np.full(5, 0.2), abs=0.01)
    once = np.array([one.frequency == 0 for one in customers])
    assert 0.4 < once.mean() < 0.6
    assert (codes[once, 1] == 1).all()
    assert (codes[~once, 1] >= 3).all()


def test_the_best_segments_carry_the_money(customers: list[Purchases]) -> None:
    base = Base().plus(moves((Purchases(), one) for one in customers))
    segments = named(Quintiles(base).codes(cells(customers)))
    money = np.array([float(one.money) for one in customers])
    of = {name: money[segments == code] for code, name in enumerate(SEGMENTS)}
    assert of["champions"].sum() / money.sum() > 0.4
    assert of["champions"].mean() > 5 * of["lost"].mean()
    assert of["cannot-lose-them"].mean() > of["at-risk"].mean() > of["lost"].mean()
