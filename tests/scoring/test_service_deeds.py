"""What customers like, cost and sign, on real servers: heard over Kafka, read over HTTP from either instance."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.scoring.events import customer
from tests.scoring.service import Scoring, records
from tests.scoring.test_contracting import told
from tests.scoring.test_wishing import contact, order
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_wishes_are_heard_from_orders_and_contacts_and_read_by_every_instance(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    baskets = [order(customer(n), at, "pasta", "pesto", pasta="food", pesto="food") for n in range(2, 12)]
    calls = [contact(customer(1), at + timedelta(weeks=n), "call-centre", "inbound") for n in range(7)]
    await scoring.publish(records([*baskets, order(customer(1), at, "pasta", pasta="food"), *calls]))

    async def heard() -> Any:
        async with scoring.https[0].get(f"/v1/wishes/{customer(1)}") as answer:
            found = await answer.json() if answer.status == 200 else {}
        return found if found.get("channel") == "call-centre" and found["interests"] else None

    found = await eventually(heard)
    assert found["interests"] == [{"category": "food", "share": 1.0}]
    assert (found["hour"]["weekday"], found["hour"]["hour"], found["hour"]["time_zone"]) == ("monday", 12, "UTC")
    await scoring.get("/v1/wishes/study", status=404)
    for instance, https in enumerate(scoring.https):
        async with https.put("/v1/products/pesto", json={"name": "Pesto alla genovese"}) as answer:
            assert (answer.status, (await answer.json())["category"]) == (200, "food")
        assert (await scoring.look("wishes", instance))["products"] == 2
    for instance in (0, 1):
        offers = (await scoring.get(f"/v1/wishes/{customer(1)}?number=2", instance=instance))["offers"]
        assert {offer["product"]["product"] for offer in offers} == {"pasta", "pesto"}
        assert {offer["product"]["name"] for offer in offers} == {None, "Pesto alla genovese"}
    async with scoring.https[0].put("/v1/products/pesto", json={"available": 0}) as answer:
        assert answer.status == 422, "a number is no truth"
    await scoring.get(f"/v1/wishes/{customer(99)}", status=404)
    products = await scoring.get("/v1/products?limit=1")
    assert [one["product"] for one in products["items"]] == ["pasta"]
    rest = await scoring.get(f"/v1/products?cursor={products['next']}")
    assert [one["product"] for one in rest["items"]] == ["pesto"]


async def test_costs_are_set_and_a_customers_profit_is_read_line_by_line(scoring: Scoring) -> None:
    at = datetime(2021, 3, 1, 12, tzinfo=UTC)
    await scoring.publish(records([order(customer(1), at, "pasta", "pesto"), contact(customer(1), at, "call-centre")]))

    async def told() -> Any:
        async with scoring.https[0].get(f"/v1/profits/{customer(1)}") as answer:
            found = await answer.json() if answer.status == 200 else {"unknown": []}
        return found if "calls" in found["unknown"] else None

    before = await eventually(told)
    assert [Decimal(before[name]) for name in ("revenue", "profit")] == [10, 10]
    assert before["value_class"] is None
    rates = [
        {"kind": "goods", "per_unit": "0.6"},
        {"kind": "calls", "per_unit": "2.5", "subject": "unmeasured", "since": "2021-01", "until": "2022-01"},
        *({"kind": kind, "per_unit": "0"} for kind in ("payment-share", "payment-fixed", "overhead")),
    ]
    costs = {"rates": rates, "overhead": {"driver": "sales", "by": "events"}}
    async with scoring.https[0].put("/v1/costs", json={"rates": [*rates, rates[0]]}) as answer:
        assert answer.status == 422
    async with scoring.https[0].put("/v1/costs", json=costs) as answer:
        assert answer.status == 200, await answer.text()
    assert (await scoring.get("/v1/costs", instance=1))["overhead"] == costs["overhead"]
    found = await scoring.get(f"/v1/profits/{customer(1)}?since=2021-03&until=2021-04", instance=1)
    assert (Decimal(found["profit"]), found["unknown"]) == (Decimal("1.5"), [])
    assert {line["kind"]: line["events"] for line in found["lines"]}["calls"] == 1
    await scoring.get("/v1/profits/base", status=404)
    base = await scoring.look("profits")
    assert (base["customers"], Decimal(base["profit"]), base["classes"]) == (
        1,
        Decimal("1.5"),
        {"L": 0, "C": 0, "B": 0, "A": 1},
    )
    assert base["curve"][-1] == {"customers": 1.0, "profit": "1.50", "percent": 100.0}
    assert await scoring.get("/v1/profits/base", instance=1) == base
    assert (await scoring.get(f"/v1/profits/{customer(1)}"))["value_class"] == "A"
    for query in ("since=2021-04&until=2021-03", "since=2021-13", "until=x"):
        await scoring.get(f"/v1/profits/{customer(1)}?{query}", status=422)
    await scoring.get(f"/v1/profits/{customer(99)}", status=404)


async def test_contracts_are_heard_and_what_happens_to_them_is_learnt(scoring: Scoring) -> None:
    lives = [
        told(event, day, customer(number))
        for number in range(40)
        for event, day in (("started", number), ("cancelled" if number % 3 else "moved", 40 + 5 * number))
    ]
    await scoring.publish(records([told("started", 100, customer(50), price="30"), *lives]))

    async def heard() -> bool:
        return bool((await scoring.look("contracts", instance=1))["contracts"] == 41)

    await eventually(heard)
    base = await scoring.get("/v1/contracts/base?months=6", instance=1)
    assert (base["customers"], base["doubt"], len(base["outlook"])) == (41, None, 7)
    assert sum(base["outlook"][6][way] for way in ("voluntary", "involuntary", "paid", "missing")) == pytest.approx(1.0)
    await scoring.get("/v1/contracts/base", status=404)
    (found,) = (await scoring.get(f"/v1/contracts/{customer(50)}", instance=1))["contracts"]
    assert (found["contract"], found["price"], found["ended_at"]) == ("billing/C1", "30.00", None)
    assert Decimal(found["value"]) > 0
    (over,) = (await scoring.get(f"/v1/contracts/{customer(1)}", instance=1))["contracts"]
    assert (over["cause"], over["outlook"]) == ("voluntary", None)
    await scoring.get(f"/v1/contracts/{customer(99)}", status=404)
