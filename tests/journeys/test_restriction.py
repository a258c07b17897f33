"""Somebody whose data are kept and not used, until it is lifted."""

import orjson
import pytest

from tests.journeys.conftest import Company
from tests.journeys.somebody import CARD, PERSON, listened_to, met
from tests.journeys.test_returns import sale
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


async def test_who_is_restricted_is_kept_and_not_used_until_it_is_lifted(company: Company, receiver: Receiver) -> None:
    await listened_to(company, receiver)
    customer = await met(company, receiver)
    before = await company.get("sync", f"/v1/customers/{customer}")
    path = f"/v1/contacts/{customer}/restriction"
    async with company.services["contacts"].put(path, json={"reason": "accuracy-contested"}) as answer:
        assert (answer.status, (await answer.json())["restricted"]) == (200, True)

    async def hidden() -> bool:
        view = await company.get("sync", f"/v1/customers/{customer}")
        assert view.get("restricted"), view
        assert (view["contact"], view["sales"]["orders"], view["score"]) == (None, 0, None)
        assert receiver.bodies[-1].get("restricted")
        assert await company.meant({"field": "sales.orders", "at_least": 1}) == 0
        await nothing_is_scored(company, customer)
        assert (await company.get("contacts", f"/v1/contacts/{customer}"))["restricted"] is True
        return True

    await eventually(hidden, within=60)
    assert not PERSON.within(orjson.dumps(receiver.bodies[-1]))
    assert not PERSON.within(await file_of_contacts(company))
    held = await company.get("contacts", f"/v1/contacts/{customer}/export")
    assert PERSON.within(orjson.dumps(held))
    await company.tell(sale("O-5", "2.00", card=CARD))
    await company.recorded(orders=2)
    await nothing_is_scored(company, customer)
    await eventually(lambda: bought_as_held(company, customer, 2), within=60)
    async with company.services["contacts"].delete(path) as answer:
        assert (answer.status, (await answer.json())["restricted"]) == (200, False)

    async def back() -> bool:
        view = await company.get("sync", f"/v1/customers/{customer}")
        assert view["contact"] == before["contact"]
        assert view["sales"]["orders"] == 2
        assert "restricted" not in view
        assert (view["score"] or {}).get("purchases") == 2
        assert (await company.get("scoring", f"/v1/scores/{customer}"))["purchases"] == 2
        assert (await company.get("scoring", "/v1/scores/summary"))["purchases"] == 2
        assert PERSON.within(await file_of_contacts(company))
        assert await company.meant({"field": "sales.orders", "at_least": 2}) == 1
        async with company.services["scoring"].post(f"/v1/retention/{customer}") as answer:
            return answer.status == 200

    await eventually(back, within=60)


async def test_one_who_is_restricted_hides_all_who_are_found_to_be_one(company: Company, receiver: Receiver) -> None:
    await listened_to(company, receiver)
    ann = await met(company, receiver)
    await company.tell(sale("O-9", "3.00", card="LC-9"))
    await company.recorded(orders=2)
    listed = (await company.get("interactions", "/v1/orders"))["items"]
    [bob] = {order["customer_id"] for order in listed} - {ann}
    path = f"/v1/contacts/{bob}/restriction"
    async with company.services["contacts"].put(path, json={"reason": "accuracy-contested"}) as answer:
        assert answer.status == 200
    await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    buyers = {"field": "sales.orders", "at_least": 1}

    async def usable(orders: int | None) -> bool:
        """So many orders are shown of the one they are; None: nothing is."""
        view = await company.get("sync", f"/v1/customers/{ann}")
        assert (view.get("restricted", False), view["sales"]["orders"]) == (orders is None, orders or 0)
        assert await company.meant(buyers) == (orders is not None)
        if orders is None:
            await nothing_is_scored(company, ann, bob)
        else:
            score = await company.get("scoring", f"/v1/scores/{bob}")
            assert (score["customer_id"], score["purchases"]) == (ann, orders)
        for customer in (ann, bob):
            async with company.services["scoring"].post(f"/v1/retention/{customer}") as answer:
                assert answer.status == (409 if orders is None else 200)
        return True

    await eventually(lambda: usable(None), within=60)
    async with company.services["contacts"].delete(f"/v1/contacts/{ann}/restriction") as answer:
        assert answer.status == 200
    await eventually(lambda: usable(2), within=60)


async def test_what_somebody_buys_while_restricted_makes_no_customer_of_them_before_it_is_lifted(
    company: Company,
) -> None:
    lead = {"customer": [{"scheme": "loyalty-card", "value": CARD}], "name": "Xaverine Quendolin", "stage": "lead"}
    customer = (await company.post("contacts", "/v1/contacts", lead))["customer_id"]
    path = f"/v1/contacts/{customer}/restriction"
    async with company.services["contacts"].put(path, json={"reason": "accuracy-contested"}) as answer:
        assert answer.status == 200

    async def hidden() -> bool:
        async with company.services["scoring"].get(f"/v1/scores/{customer}") as answer:
            return answer.status == 409

    await eventually(hidden, within=60)
    await company.tell(sale("O-1", "10.00", card=CARD), sale("O-2", "3.00", card="LC-2"))

    async def scored() -> bool:
        return int((await company.get("scoring", "/v1/scores/summary"))["purchases"]) == 1

    async def other() -> bool:
        """The one who bought at the same time, so that the news of both is heard."""
        contacts = (await company.get("contacts", "/v1/contacts"))["items"]
        assert {one["customer_id"]: one["stage"] for one in contacts}[customer] == "lead"
        return "customer" in [one["stage"] for one in contacts]

    await eventually(scored, within=60)
    await eventually(other, within=60)
    async with company.services["contacts"].delete(path) as answer:
        assert answer.status == 200

    async def came() -> bool:
        return bool((await company.get("contacts", f"/v1/contacts/{customer}"))["stage"] == "customer")

    await eventually(came, within=60)
    assert (await company.get("scoring", f"/v1/scores/{customer}"))["purchases"] == 1


async def nothing_is_scored(company: Company, *customers: str) -> None:
    """Whatever scoring answers of one customer it refuses, but for what is theirs to know; and in no list or sum they are."""
    routes = (await company.get("scoring", "/openapi.json"))["paths"]
    asked = 0
    for route, methods in routes.items():
        if "{customer_id}" in route and not route.endswith("/held"):
            for method in methods:
                for customer in customers:
                    path = route.format(customer_id=customer)
                    async with company.services["scoring"].request(method, path) as answer:
                        assert answer.status == 409, (method, route, await answer.text())
                    asked += 1
    assert asked >= 9 * len(customers)
    assert (await company.get("scoring", "/v1/scores"))["items"] == []
    figures = await company.get("scoring", "/v1/scores/summary")
    assert (figures["customers"], figures["purchases"], figures["segments"]) == (0, 0, {})


async def bought_as_held(company: Company, customer: str, orders: int) -> bool:
    """Whether scoring, asked by the person, tells so many orders, that they are not used, and no score."""
    items = (await company.get("scoring", f"/v1/customers/{customer}/held"))["items"]
    [told] = [one["data"] for one in items if one["section"] == "score"]
    assert (told["restricted"], told["score"], told["purchases"]) == (True, None, [])
    return sum(int(day["orders"]) for day in told["own_purchases"]) == orders


async def file_of_contacts(company: Company) -> bytes:
    async with company.services["contacts"].get("/v1/contacts/export?format=jsonl") as answer:
        assert answer.status == 200
        return await answer.read()
