"""Orders, and what becomes of them, through all services: whatever comes first or twice, every book agrees."""

import asyncio
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from services.interactions.api.examples import CANCELLATION, RETURN, SALE
from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from tests.journeys.conftest import Company, Event
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


def sale(order: str, total: str, card: str = "LC-1") -> Event:
    lines = [{"product": "P", "quantity": "1", "value": total}]
    return said(SALE, f"sale-{order}", card, order=order, lines=lines)


def returned(order: str, total: str, card: str = "LC-1", event_id: str | None = None) -> Event:
    lines = [{"product": "P", "quantity": "1", "value": total}]
    return said(RETURN, event_id or f"return-{order}", card, order=order, number=f"R-{order}", lines=lines)


def cancelled(order: str, card: str = "LC-1", event_id: str | None = None) -> Event:
    return said(CANCELLATION, event_id or f"cancellation-{order}", card, order=order)


def said(event: Event, event_id: str, card: str, **data: Any) -> Event:
    customer = [{"scheme": "loyalty-card", "value": card}]
    return event | {"id": event_id, "data": event["data"] | {"customer": customer} | data}


async def test_a_customers_story_is_the_same_in_every_book(company: Company) -> None:
    await company.tell(sale("O-1", "10.00"), sale("O-2", "20.00"), sale("O-3", "5.00"))
    await company.recorded(orders=3, total="35.00")
    await company.tell(returned("O-1", "4.00"), returned("O-1", "4.00"), cancelled("O-2"), returned("O-4", "1.00"))
    await company.tell(cancelled("O-4"), returned("O-1", "4.00", event_id="again"), cancelled("O-2", event_id="again"))
    await company.recorded(orders=2, total="11.00", returned="4.00", cancelled=1, waiting=2)
    await company.recorded(duplicates=1, duplicate_returns=1, duplicate_cancellations=1)
    await company.tell(sale("O-4", "8.00"), instance="interactions again")
    await company.recorded(orders=2, total="11.00", returned="5.00", cancelled=2, returns=2, waiting=0)
    await company.tell(returned("O-2", "2.00"))  # which is void already
    await company.recorded(orders=2, total="11.00", returned="7.00", cancelled=2, returns=3)
    await company.agrees()

    async def viewed() -> Any:
        [customer] = (await company.get("sync", "/v1/customers"))["items"]
        expected = {"orders": 2, "total": "11.00", "returned": "7.00", "cancelled": 2}
        return customer if customer["sales"] | expected == customer["sales"] else None

    customer = await eventually(viewed)
    score = await company.get("scoring", f"/v1/scores/{customer['customer_id']}")
    assert (score["purchases"], score["money"]) == (2, "11.00")
    net = [{"field": "sales.orders", "is": 2}, {"field": "sales.total", "at_least": "11"}]
    given_back = [{"field": "sales.returned", "at_least": "7"}, {"field": "sales.cancelled", "is": 2}]
    await eventually(lambda: company.meant({"all": [*net, *given_back]}))

    orders = {order["number"]: order for order in (await company.get("interactions", "/v1/orders"))["items"]}
    assert {number: Decimal(order["returned"]) for number, order in orders.items()} == {
        "O-1": 4, "O-2": 2, "O-3": 0, "O-4": 1,
    }  # fmt: skip
    assert {number for number, order in orders.items() if order["cancelled_at"]} == {"O-2", "O-4"}
    history = await company.get("interactions", "/v1/interactions", customer_id=customer["customer_id"])
    kinds = sorted(entry["kind"] for entry in history["items"])
    assert kinds == ["order"] * 4 + ["order-cancellation"] * 2 + ["order-return"] * 3
    details = [entry["order_return"] for entry in history["items"] if entry["kind"] == "order-return"]
    assert {(back["number"], back["order"], Decimal(back["total"])) for back in details} == {
        ("R-O-1", "O-1", Decimal(4)), ("R-O-2", "O-2", Decimal(2)), ("R-O-4", "O-4", Decimal(1)),
    }  # fmt: skip


async def test_goods_back_on_the_shelf_are_no_cost_of_the_customers_whatever_comes_first(company: Company) -> None:
    lines = [{"product": "P", "quantity": "3", "value": "30.00", "cost": "10.00"}]
    some = [{"product": "P", "quantity": "1", "value": "10.00", "restocked": "1"}]
    rest = [{"product": "P", "quantity": "2", "value": "20.00", "restocked": "2"}]
    first, second = (
        said(RETURN, "first", "LC-1", order="O-1", number="R-1", lines=some),
        said(RETURN, "second", "LC-1", order="O-1", number="R-2", lines=rest),
    )
    await company.tell(first, first)
    await company.recorded(waiting=1)
    await company.tell(said(SALE, "sale-O-1", "LC-1", order="O-1", lines=lines), sale("O-2", "5.00"))
    await company.recorded(orders=2, total="25.00", waiting=0)
    [customer] = await eventually(lambda: customers(company, 1))
    await eventually(lambda: goods(company, customer, "-6.666667"))
    await company.tell(second, instance="interactions again")
    await eventually(lambda: goods(company, customer, "0"))
    await company.tell(cancelled("O-1"), second)
    await company.recorded(orders=1, cancelled=1, duplicates=2)
    await company.agrees()
    await eventually(lambda: goods(company, customer, None))
    history = await company.get("interactions", "/v1/interactions", customer_id=customer, kind="order-return")
    back = [line["restocked"] for entry in history["items"] for line in entry["order_return"]["lines"]]
    assert sorted(map(Decimal, back)) == [1, 2]


async def customers(company: Company, number: int) -> list[str]:
    found = [customer["customer_id"] for customer in (await company.get("sync", "/v1/customers"))["items"]]
    assert len(found) == number
    return found


async def goods(company: Company, customer: str, amount: str | None) -> bool:
    """Whether that is what goods with a told cost have brought or cost in all; None: no line says anything of them."""
    told = await company.get("scoring", f"/v1/profits/{customer}", since="2020-01", until="2030-01")
    lines = [Decimal(line["amount"]) for line in told["lines"] if (line["kind"], line["unit"]) == ("goods", "money")]
    assert (sum(lines, Decimal(0)) if lines else None) == (None if amount is None else Decimal(amount))
    return True


async def test_a_flood_in_any_order_over_two_instances_adds_up_everywhere(company: Company) -> None:
    """Returns and cancellations name others than their orders do, so that they overtake them on other partitions."""
    events = list(flood(160))
    chance = random.Random(4)
    chance.shuffle(events)
    copies = [*events, *chance.sample(events, len(events) // 3)]
    batches = [copies[begin : begin + 40] for begin in range(0, len(copies), 40)]
    instances = ("interactions", "interactions again")
    await asyncio.gather(*(company.tell(*batch, instance=instances[n % 2]) for n, batch in enumerate(batches)))
    await company.recorded(orders=80, cancelled=80, waiting=0)

    await company.recorded(returns=80, returned="180.00", total="710.00", duplicates=len(copies) - len(events))
    assert await company.get("interactions", "/v1/dead-letters/summary") == {}
    await company.agrees()
    await told_in_order(company, 160 + 80 + 80)


def flood(orders: int) -> Iterator[Event]:
    """A quarter each: kept, returned, cancelled, and both."""
    for n in range(orders):
        order, stranger = f"F-{n}", f"stranger-{n}"
        yield sale(order, "10.00", card=f"LC-{n % 23}")
        if n % 4 in {1, 3}:
            yield returned(order, "2.25", card=stranger)
        if n % 4 in {2, 3}:
            yield cancelled(order, card=f"{stranger}-too")


async def told_in_order(company: Company, facts: int) -> None:
    """On `crm.sales` every order comes before what became of it, on the same key, and all once."""
    seen: dict[str, list[tuple[str, bytes | None]]] = {}
    types: dict[str, Any] = {fact.TYPE: fact for fact in (OrderPlaced, OrderReturned, OrderCancelled)}
    for record in await company.shop.records("crm.sales", facts):
        kind = (dict(record.headers)["ce_type"] or b"").decode()
        fact = types[kind].model_validate_json(record.value or b"")
        seen.setdefault(fact.order_id, []).append((kind, record.key))
    assert sum(map(len, seen.values())) == facts
    for story in seen.values():
        kinds = [kind for kind, _ in story]
        assert kinds[0] == OrderPlaced.TYPE
        assert len(set(kinds)) == len(kinds)
        assert len({key for _, key in story}) == 1
