"""The models on real customers: the Complete Journey households of the demo, a year of groceries."""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from services.scoring.domain.histogram import Histogram, moves
from services.scoring.domain.model import Fit, Held, refit
from services.scoring.domain.prediction import Histories, Predictions, predict
from services.scoring.domain.purchases import Order, Purchases
from services.scoring.domain.segments import SEGMENTS

FILE = Path(__file__).parents[2] / "demo" / "data" / "transactions.csv.gz"
YEAR_END = datetime(2017, 12, 31, 23, 59, tzinfo=UTC)
AUTUMN = datetime(2017, 10, 1, 23, 59, tzinfo=UTC)
Households = dict[str, list[Order]]


@pytest.fixture(scope="module")
def households() -> Households:
    baskets: dict[tuple[str, str], list[tuple[datetime, Decimal]]] = defaultdict(list)
    with gzip.open(FILE, "rt") as file:
        for line in csv.DictReader(file):
            at = datetime.fromisoformat(line["transaction_timestamp"]).replace(tzinfo=UTC)
            baskets[line["household_id"], line["basket_id"]].append((at, Decimal(line["sales_value"])))
    households: Households = defaultdict(list)
    for (household, _), lines in baskets.items():
        households[household].append(Order(min(at for at, _ in lines), sum((v for _, v in lines), Decimal(0))))
    return households


def until(households: Households, moment: datetime) -> dict[str, Purchases]:
    base = {name: Purchases.of(o for o in orders if o.at <= moment) for name, orders in households.items()}
    return {name: purchases for name, purchases in base.items() if purchases.days}


def fitted(base: dict[str, Purchases], now: datetime) -> Fit | Held:
    return refit(Histogram().plus(moves((Purchases(), purchases) for purchases in base.values())), now)


def predicted(base: dict[str, Purchases], now: datetime, horizon_days: int) -> Predictions:
    fit = fitted(base, now)
    assert isinstance(fit, Fit)
    return predict(fit.parameters, Histories.of(list(base.values())), now, horizon_days)


def test_every_segment_has_a_sensible_share_of_the_base(households: Households) -> None:
    segment = predicted(until(households, YEAR_END), YEAR_END, 90).segment
    share = {name: float(np.mean(segment == code)) for code, name in enumerate(SEGMENTS)}
    assert len(segment) == 2_377
    assert 0.15 < share["valuable"] < 0.19
    assert 0.02 < share["valuable-slipping"] < 0.06
    assert 0.15 < share["slipping"] < 0.30
    assert 0.45 < share["regular"] < 0.65
    assert 0.005 < share["gone"] < 0.05
    assert 0.001 < share["new"] < 0.05


def test_probabilities_of_a_purchase_come_true_in_the_next_sixty_days(households: Households) -> None:
    base = until(households, AUTUMN)
    made = predicted(base, AUTUMN, 60)
    end = AUTUMN + timedelta(days=60)
    bought = np.array([any(AUTUMN < order.at <= end for order in households[name]) for name in base])
    assert np.mean(1 - made.p_churn) == pytest.approx(bought.mean(), abs=0.03)
    likely = made.p_churn < np.median(made.p_churn)
    assert bought[likely].mean() > bought[~likely].mean() + 0.2


def test_expected_purchases_come_true_in_the_next_sixty_days(households: Households) -> None:
    base = until(households, AUTUMN)
    made = predicted(base, AUTUMN, 60)
    end = AUTUMN + timedelta(days=60)
    days = np.array([len({o.at.date() for o in households[name] if AUTUMN < o.at <= end}) for name in base])
    assert made.expected_purchases.sum() == pytest.approx(days.sum(), rel=0.1)
    assert np.corrcoef(made.expected_purchases, days)[0, 1] > 0.7


def test_a_quarter_in_which_nobody_seems_to_leave_is_scored_so_and_says_it(households: Households) -> None:
    spring = datetime(2017, 4, 1, tzinfo=UTC)
    base = until(households, spring)
    fit = fitted(base, spring)
    assert isinstance(fit, Fit)
    assert (fit.parameters.name, fit.doubts) == ("nbd+gamma-gamma", ("dropout not identified",))
    made = predict(fit.parameters, Histories.of(list(base.values())), spring, 90)
    assert (made.p_alive == 1).all()
    later = [
        len({o.at.date() for o in households[name] if spring < o.at <= spring + timedelta(days=90)}) for name in base
    ]
    assert made.expected_purchases.sum() == pytest.approx(sum(later), rel=0.15)
