"""Two customers who turn out to be one, and two again: through all services that take notice, whatever comes meanwhile."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.journeys.conftest import Company
from tests.journeys.test_returns import returned, sale
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


async def view(company: Company, customer: str) -> dict[str, Any]:
    found: dict[str, Any] = await company.get("sync", f"/v1/customers/{customer}")
    return found


async def shows(company: Company, customer: str, orders: int, total: str, merged_into: str | None = None) -> None:
    """Wait until the customer's view says so, and the history lists as many orders."""

    async def look() -> bool:
        seen = await view(company, customer)
        assert (seen["sales"]["orders"], Decimal(seen["sales"]["total"])) == (orders, Decimal(total))
        assert seen.get("merged_into") == merged_into
        if merged_into is None:
            listed = await company.get("interactions", "/v1/orders", customer_id=customer)
            assert len(listed["items"]) == orders
        return True

    await eventually(look, within=60)


async def two_customers(company: Company) -> tuple[str, str]:
    await company.tell(sale("O-1", "10.00", card="LC-1"), sale("O-2", "5.00", card="LC-2"))
    await company.recorded(orders=2)
    ann, bob = [order["customer_id"] for order in (await company.get("interactions", "/v1/orders"))["items"]]
    await shows(company, ann, 1, "10.00")
    await shows(company, bob, 1, "5.00")
    return ann, bob


async def test_sales_that_come_while_two_are_merged_and_parted_again_are_in_every_book(company: Company) -> None:
    ann, bob = await two_customers(company)

    async def flood(first: int) -> None:
        for number in range(first, first + 10):
            card = f"LC-{number % 2 + 1}"
            await company.tell(sale(f"O-{number}", "1.00", card=card), instance="interactions again")

    merge, *_ = await asyncio.gather(
        company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob}), flood(10), flood(30)
    )
    await company.tell(returned("O-2", "5.00", card="LC-2"))
    await shows(company, ann, 22, "30.00")
    await shows(company, bob, 0, "0", merged_into=ann)
    assert (await company.get("sync", "/v1/customers/summary"))["customers"] == 1
    whole = await view(company, ann)
    assert whole["contact"]["absorbed"] == [bob]
    assert {one["value"] for one in whole["contact"]["identifiers"]} >= {"LC-1", "LC-2"}
    version = (await view(company, bob))["version"]

    await company.post("contacts", f"/v1/merges/{merge['merge_id']}/undo", {"reason": "two people"})
    await company.tell(sale("O-50", "2.00", card="LC-2"))
    await shows(company, ann, 11, "20.00")
    await shows(company, bob, 12, "12.00")

    async def named_again() -> bool:
        back = await view(company, bob)
        assert back["contact"]["customer_id"] == bob
        return bool(back["version"] > version)

    await eventually(named_again)
    assert (await company.get("sync", "/v1/customers/summary"))["customers"] == 2
    await company.agrees()


MONTHS = {"since": "2026-01", "until": "2027-01"}


async def every_book(company: Company, customer: str, survivor: str) -> dict[str, Any]:
    """What each service says when it is asked for a customer, in figures that must agree."""
    seen = await view(company, survivor)
    score = await company.get("scoring", f"/v1/scores/{customer}")
    profit = await company.get("scoring", f"/v1/profits/{customer}", **MONTHS)
    listed = await company.get("interactions", "/v1/orders", customer_id=customer)
    assert score["customer_id"] == profit["customer_id"] == survivor
    assert seen["score"] is not None
    return {
        "history": len(listed["items"]),
        "view": (seen["sales"]["orders"], Decimal(seen["sales"]["total"])),
        "score": (score["purchases"], Decimal(score["money"])),
        "score in the view": (seen["score"]["purchases"], Decimal(seen["score"]["money"])),
        "profit": Decimal(profit["profit"]),
    }


async def agree(company: Company, books: dict[str, tuple[int, str]], merged: dict[str, str] | None = None) -> None:
    """Wait until every service says of each customer so many orders and so much money, and campaigns' rules too."""
    merged = merged or {}

    async def look() -> bool:
        for customer, (orders, money) in books.items():
            said = await every_book(company, customer, merged.get(customer, customer))
            total = (orders, Decimal(money))
            wanted = dict.fromkeys(("view", "score", "score in the view"), total)
            assert said == wanted | {"history": orders, "profit": Decimal(money)}
        roots = {customer: books[customer] for customer in books if customer not in merged}
        for orders, money in roots.values():
            both = [{"field": "sales.orders", "is": orders}, {"field": "score.purchases", "is": orders}]
            exactly = [{"field": "sales.total", "at_least": money}, {"field": "sales.total", "at_most": money}]
            same = [one for one in roots.values() if one == (orders, money)]
            assert await company.meant({"all": both + exactly}) == len(same)
        assert await company.meant({"field": "sales.orders", "at_least": 0}) == len(roots)
        scored = await company.get("scoring", "/v1/scores/summary")
        assert scored["customers"] == len(roots)
        listed = await company.get("scoring", "/v1/scores")
        assert {one["customer_id"] for one in listed["items"]} == set(roots)
        return True

    await eventually(look, within=60)


async def test_score_profile_view_and_history_agree_as_if_they_had_always_been_one_and_as_two_again(
    company: Company,
) -> None:
    ann, bob = await two_customers(company)
    await agree(company, {ann: (1, "10.00"), bob: (1, "5.00")})
    merge, *_ = await asyncio.gather(
        company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob}),
        company.tell(sale("O-3", "2.00", card="LC-2")),
        company.tell(sale("O-4", "1.00", card="LC-1"), instance="interactions again"),
    )
    await agree(company, {ann: (4, "18.00"), bob: (4, "18.00")}, merged={bob: ann})
    await company.tell(sale("O-5", "7.00", card="LC-2"), returned("O-2", "1.00", card="LC-2"))
    await agree(company, {ann: (5, "24.00"), bob: (5, "24.00")}, merged={bob: ann})
    gone = await view(company, bob)
    assert (gone["merged_into"], gone["score"]) == (ann, None)

    await asyncio.gather(
        company.post("contacts", f"/v1/merges/{merge['merge_id']}/undo", {"reason": "two people"}),
        company.tell(sale("O-6", "0.50", card="LC-2")),
    )
    await agree(company, {ann: (2, "11.00"), bob: (4, "13.50")})


async def test_a_campaign_counts_a_person_once_with_all_that_they_have_bought(company: Company) -> None:
    ann, bob = await two_customers(company)
    await agree(company, {ann: (1, "10.00"), bob: (1, "5.00")})
    merge = await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    await agree(company, {ann: (2, "15.00"), bob: (2, "15.00")}, merged={bob: ann})
    campaign = {
        "campaign_id": "spring",
        "name": "Spring",
        "channel": "mail",
        "message": "It is spring",
        "segment": {"field": "sales.orders", "at_least": 1},
        "control_share": 0.0,
        "response_days": 30,
    }
    async with company.services["campaigns"].post("/v1/campaigns", json=campaign) as answer:
        assert answer.status == 201, await answer.text()
    await company.post("campaigns", "/v1/campaigns/spring/launch", {})

    async def drawn(customers: dict[str, int]) -> bool:
        listed = (await company.get("campaigns", "/v1/campaigns/spring/customers"))["items"]
        assert {one["customer_id"]: one["orders"] for one in listed} == customers
        effect = await company.get("campaigns", "/v1/campaigns/spring/effect")
        assert (effect["treatment"]["customers"], effect["treatment"]["orders"]) == (1, sum(customers.values()))
        return True

    await drawn({ann: 0})
    await company.tell(now_sold("O-10", "LC-1"), now_sold("O-11", "LC-2"))
    await eventually(lambda: drawn({ann: 2}), within=60)
    await company.post("contacts", f"/v1/merges/{merge['merge_id']}/undo", {"reason": "two people"})
    await eventually(lambda: drawn({ann: 1}), within=60)


def now_sold(order: str, card: str) -> Any:
    """A sale after the campaign has begun."""
    event, at = sale(order, "1.00", card=card), datetime.now(UTC).isoformat()
    return event | {"time": at, "data": event["data"] | {"ordered_at": at}}
