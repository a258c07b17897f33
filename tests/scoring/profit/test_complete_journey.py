"""Profit on real customers: a year of groceries with three kinds of discount, under a cost model made for the test."""

import csv
import gzip
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from services.scoring.domain.classes import CLASSES, ProfitBase, whale_curve
from services.scoring.domain.histogram import Ints
from services.scoring.domain.profit import (
    Book,
    CostModel,
    Event,
    Group,
    Kind,
    Movement,
    Overhead,
    Rate,
    SoldLine,
    allocate,
    behind,
    month_named,
    sold,
    statement,
    used,
)

DATA = Path(__file__).parents[3] / "demo" / "data"
SINCE, UNTIL = month_named("2017-01"), month_named("2018-02")
Rows = list[dict[str, str]]

GOODS = Decimal("0.65")
"""Of the shelf's price: three quarters of what customers pay, as grocers have it. The data tell discounts and nothing
else, so goods, campaigns, payments and baskets have assumed costs here.
"""
AMOUNTS = ("sales_value", "retail_disc", "coupon_disc", "coupon_match_disc")
CAMPAIGN_BUDGET = Decimal(300)


def rows(name: str) -> Rows:
    with gzip.open(DATA / f"{name}.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def transactions() -> Rows:
    return rows("transactions")


@pytest.fixture(scope="module")
def movements(transactions: Rows) -> dict[str, list[Movement]]:
    baskets: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in transactions:
        baskets[row["household_id"], row["basket_id"]].append(row)
    by_household: dict[str, list[Movement]] = defaultdict(list)
    for (household, basket), lines in baskets.items():
        at = min(datetime.fromisoformat(row["transaction_timestamp"]).replace(tzinfo=UTC) for row in lines)
        by_household[household] += sold(Event(basket, at), map(_line, lines))
    starts = {row["campaign_id"]: row["start_date"] for row in rows("campaign_descriptions")}
    for row in rows("campaigns"):
        start = datetime.fromisoformat(starts[row["campaign_id"]]).replace(tzinfo=UTC)
        contact = Event(f"{row['campaign_id']}/{row['household_id']}", start)
        by_household[row["household_id"]].append(used(contact, Kind.CAMPAIGNS, Decimal(1), row["campaign_id"]))
    return by_household


def _line(row: dict[str, str]) -> SoldLine:
    value, retail, coupon, match = (Decimal(row[name]) for name in AMOUNTS)
    return SoldLine(value, retail, coupon, match)


def cost_model() -> CostModel:
    contacts: dict[str, int] = defaultdict(int)
    for row in rows("campaigns"):
        contacts[row["campaign_id"]] += 1
    campaigns = (Rate(Kind.CAMPAIGNS, allocate(CAMPAIGN_BUDGET, Decimal(n)), name) for name, n in contacts.items())
    others = {Kind.GOODS: str(GOODS), Kind.PAYMENT_SHARE: "0.008", Kind.PAYMENT_FIXED: "0.05", Kind.OVERHEAD: "0.20"}
    return CostModel((*campaigns, *(Rate(kind, Decimal(rate)) for kind, rate in others.items())), Overhead(Kind.SALES))


@pytest.fixture(scope="module")
def profits(movements: dict[str, list[Movement]]) -> Ints:
    costs = cost_model()
    made = (statement(Book.of(theirs), costs, SINCE, UNTIL).micros for theirs in movements.values())
    return np.fromiter(made, np.int64)


def test_the_base_adds_up_to_the_files_to_the_cent(transactions: Rows, movements: dict[str, list[Movement]]) -> None:
    base = Book.of(movement for theirs in movements.values() for movement in theirs)
    made = statement(base, cost_model(), SINCE, UNTIL)
    totals = {name: sum((Decimal(row[name]) for row in transactions), Decimal(0)) for name in AMOUNTS}
    assert made.of(Kind.RETAIL_DISCOUNT) == -totals["retail_disc"]
    assert made.of(Kind.COUPON_MATCH) == -totals["coupon_match_disc"]
    assert made.borne_by_others == totals["coupon_disc"]
    net = made.total(Group.REVENUE) - totals["retail_disc"] - totals["coupon_match_disc"]
    assert net == totals["sales_value"]
    launched = sum(row["start_date"] >= "2017" for row in rows("campaign_descriptions"))
    assert made.of(Kind.CAMPAIGNS) == pytest.approx(-launched * CAMPAIGN_BUDGET, abs=Decimal("0.001"))
    assert made.unknown == ()
    assert sum(line.events for line in made.lines if line.key.kind is Kind.SALES) == 47_243


def test_costs_of_direct_promotions_are_traced_to_their_baskets(
    transactions: Rows, movements: dict[str, list[Movement]]
) -> None:
    household = "906"
    made = statement(Book.of(movements[household]), cost_model(), SINCE, UNTIL)
    for line in made.lines:
        if line.key.kind is Kind.RETAIL_DISCOUNT:
            named = set(behind(line, movements[household]))
            given = (Decimal(row["retail_disc"]) for row in transactions if row["basket_id"] in named)
            assert line.amount == -sum(given, Decimal(0))
            assert line.events == len(named)


def test_without_campaign_costs_the_statement_says_that_they_are_unknown(movements: dict[str, list[Movement]]) -> None:
    costs = CostModel((Rate(Kind.GOODS, GOODS),), Overhead(Kind.SALES))
    base = Book.of(movement for theirs in movements.values() for movement in theirs)
    made = statement(base, costs, SINCE, UNTIL)
    assert set(made.unknown) == {Kind.CAMPAIGNS, Kind.PAYMENT_SHARE, Kind.PAYMENT_FIXED, Kind.OVERHEAD}


def test_the_whale_curve_of_the_households_peaks_above_their_profit(profits: Ints) -> None:
    exact = whale_curve(profits / 1e6)
    curve = ProfitBase().plus(np.ones_like(profits), profits).whale_curve()
    assert exact.percent is not None
    assert curve.percent is not None
    assert exact.percent.max() > 102
    assert curve.percent.max() == pytest.approx(exact.percent.max(), rel=1e-9)
    assert curve.peak[0] == pytest.approx((profits > 0).mean(), abs=0.01)


def test_few_households_carry_most_of_the_profit(profits: Ints) -> None:
    base = ProfitBase().plus(np.ones_like(profits), profits)
    codes = base.cuts().classes(profits)
    share = {name: float((codes == code).mean()) for code, name in enumerate(CLASSES)}
    assert share["A"] < 0.45
    assert share["L"] > 0.05
    earned = profits[profits > 0].sum()
    assert 0.8 <= profits[codes == CLASSES.index("A")].sum() / earned < 0.82


def test_a_households_book_of_a_year_is_small(movements: dict[str, list[Movement]]) -> None:
    sizes = [len(Book.of(theirs).pack()) for theirs in movements.values()]
    assert np.mean(sizes) < 1_200
    assert max(sizes) < 3_000
