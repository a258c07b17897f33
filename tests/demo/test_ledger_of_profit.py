"""Profit and contracts by the ledger: counted by hand, and no planted difference is overlooked."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from demo.ledger.contracts import Agreements, Contracts, compare_contracts, contracts, still_running
from demo.ledger.decisions import Decisions
from demo.ledger.files import rows
from demo.ledger.profits import Earnings, Profits, carriers, compare_profits, profits

YEAR = ("2017-01", "2018-01")
ONE = Decisions(frozenset({(1, 900_001)}))
VIEWS: list[Any] = [
    {
        "customer_id": f"customer-{household}",
        "contact": {"identifiers": [{"scheme": "loyalty-card", "value": f"LC-{household:06d}"}]},
    }
    for household in (1, 2, 3, 4)
]
FIRST = Decimal(0)
FIRST += Decimal("1.50") - Decimal("1.20") - Decimal("0.015")  # milk in January, in the north, which tells its cost
FIRST += Decimal("0.10") - Decimal("0.10") + Decimal("0.001")  # paid with a coupon of more than it cost
FIRST += Decimal("2.00") - Decimal("1.20") - Decimal("0.02") - 3 * Decimal("0.15")  # and three baskets
FIRST -= Decimal("0.30") + Decimal(2) * Decimal("2.5")  # the second mailing; the first was in December; and a call
SECOND = Decimal("19.99") - Decimal("9.995") - Decimal("0.1999") - Decimal("0.15") - 5


@pytest.fixture
def earned(mini: Path) -> Profits:
    return profits(mini, 1.0, *YEAR, ONE)


@pytest.fixture
def signed(mini: Path) -> Contracts:
    return contracts(mini, 1.0)


def earnings() -> Any:
    base = {"profit": str(FIRST + SECOND), "customers": 2, "unknown": [], "classes": {"A": 1, "B": 0, "C": 0, "L": 1}}
    statements = {
        "customer-1": {"profit": str(FIRST), "unknown": []},
        "customer-2": {"profit": str(SECOND), "unknown": []},
    }
    return Earnings(base, statements)


def agreements() -> Any:
    def told(number: int, price: str, **more: Any) -> Any:
        none = {"failing_since": None, "ended_at": None, "cause": None, "renewals": 0}
        name = {"contract": f"/channels/billing/SP-{number:06d}", "started_at": "2017-01-10T09:00:00Z", "price": price}
        return {"contracts": [name | none | more]}

    ways = {"voluntary": 0.1, "involuntary": 0.2, "paid": 0.65, "missing": 0.05}
    base = {"customers": 2, "contracts": 2, "outlook": [{"month": 1, **ways}]}
    customers = {
        "customer-1": told(1, "10.90", renewals=1, failing_since="2017-02-12T09:00:00Z"),
        "customer-2": told(2, "14.90", ended_at="2017-03-01T08:00:00Z", cause="voluntary"),
    }
    return Agreements(base, customers)


def test_what_two_households_have_earned(earned: Profits) -> None:
    assert earned == {1: FIRST, 2: SECOND}
    assert compare_profits(earned, VIEWS, earnings()) == []


def test_a_second_card_that_nobody_knows_of_earns_by_itself(mini: Path) -> None:
    apart = profits(mini, 1.0, *YEAR)
    assert set(apart) == {1, 2, 900_001}
    assert apart[1] + apart[900_001] == FIRST
    assert apart[900_001] == Decimal("2.00") - Decimal("1.20") - Decimal("0.02") - Decimal("0.15")


def test_the_erased_earn_nothing_and_have_no_contracts(mini: Path) -> None:
    gone = Decisions(ONE.merged, frozenset({900_001}))
    assert profits(mini, 1.0, *YEAR, gone) == {2: SECOND}
    assert set(contracts(mini, 1.0, gone)) == {2}


def test_only_the_months_that_are_asked_for_count(mini: Path) -> None:
    assert profits(mini, 1.0, "2016-12", "2017-01") == {1: Decimal("-0.30"), 4: Decimal("-0.30")}


def test_who_carries_is_who_was_needed_for_80_percent() -> None:
    few = {1: Decimal(79), 2: Decimal(15), 3: Decimal("14.9"), 4: Decimal(-50), 5: Decimal(1)}
    assert carriers(few) == (2, 3)
    assert carriers({1: Decimal(-1)}) == (0, 0)


@pytest.mark.parametrize(
    "plant",
    [
        lambda told: told.base.update(profit=str(FIRST + SECOND + Decimal("0.000001"))),
        lambda told: told.base.update(profit=float(FIRST + SECOND)),
        lambda told: told.base.update(customers=3),
        lambda told: told.base.update(unknown=["calls"]),
        lambda told: told.base["classes"].update(L=0),
        lambda told: told.base["classes"].update(A=2),
        lambda told: told.statements["customer-2"].update(profit=str(SECOND - Decimal("0.01"))),
        lambda told: told.statements["customer-2"].update(unknown=["goods"]),
        lambda told: told.statements.update({"customer-3": {"profit": "1", "unknown": []}}),
    ],
)
def test_a_planted_difference_in_profit_is_found(earned: Profits, plant: Callable[[Any], None]) -> None:
    told = copy.deepcopy(earnings())
    plant(told)
    assert len(compare_profits(earned, VIEWS, told)) == 1


def test_how_contracts_stand(signed: Contracts) -> None:
    assert compare_contracts(signed, VIEWS, agreements()) == []
    assert still_running(signed, 1, datetime(2017, 12, 31, tzinfo=UTC)) == 1.0
    assert still_running(signed, 2, datetime(2017, 12, 31, tzinfo=UTC)) == 0.5
    assert still_running(signed, 2, datetime(2017, 2, 28, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    "plant",
    [
        lambda told: told.base.update(customers=3),
        lambda told: told.base.update(contracts=3),
        lambda told: told.base["outlook"][0].update(paid=0.7),
        lambda told: told.customers["customer-1"].update(contracts=[]),
        lambda told: first(told).update(contract="/channels/other/SP-000001"),
        lambda told: first(told).update(started_at="2017-01-10T09:00:01Z"),
        lambda told: first(told).update(price="9.90"),
        lambda told: first(told).update(price=10.9),
        lambda told: first(told).update(renewals=0),
        lambda told: first(told).update(failing_since=None),
        lambda told: first(told).update(ended_at="2017-03-01T08:00:00Z"),
        lambda told: first(told).update(cause="voluntary"),
        lambda told: told.customers.update({"customer-3": told.customers["customer-1"]}),
    ],
)
def test_a_planted_difference_in_contracts_is_found(signed: Contracts, plant: Callable[[Any], None]) -> None:
    told = copy.deepcopy(agreements())
    plant(told)
    assert len(compare_contracts(signed, VIEWS, told)) == 1


def first(told: Any) -> Any:
    return told.customers["customer-1"]["contracts"][0]


def test_every_plan_has_one_beginning_and_nothing_after_its_end() -> None:
    """So that the file needs no rule for what makes no sense."""
    stories: dict[str, list[str]] = {}
    for row in rows(Path("demo/data"), "made_up/contracts", 1.0):
        stories.setdefault(row["contract"], []).append(f"{row['happened_at']} {row['event']}")
    ends = ("cancelled", "went-to-competitor", "moved", "died", "lapsed")
    for story in stories.values():
        assert story == sorted(story)
        assert [line.endswith(" started") for line in story] == [True] + [False] * (len(story) - 1)
        assert not any(line.endswith(ends) for line in story[:-1])
