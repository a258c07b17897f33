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
        async with company.services["scoring"].post(f"/v1/retention/{customer}") as answer:
            assert answer.status == 409
        return True

    await eventually(hidden, within=60)
    assert not PERSON.within(orjson.dumps(receiver.bodies[-1]))
    await company.tell(sale("O-5", "2.00", card=CARD))
    await company.recorded(orders=2)
    async with company.services["contacts"].delete(path) as answer:
        assert (answer.status, (await answer.json())["restricted"]) == (200, False)

    async def back() -> bool:
        view = await company.get("sync", f"/v1/customers/{customer}")
        assert view["contact"] == before["contact"]
        assert view["sales"]["orders"] == 2
        assert "restricted" not in view
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
        assert (await company.get("scoring", f"/v1/scores/{bob}"))["customer_id"] == ann
        assert await company.meant(buyers) == (orders is not None)
        for customer in (ann, bob):
            async with company.services["scoring"].post(f"/v1/retention/{customer}") as answer:
                assert answer.status == (409 if orders is None else 200)
        return True

    await eventually(lambda: usable(None), within=60)
    async with company.services["contacts"].delete(f"/v1/contacts/{ann}/restriction") as answer:
        assert answer.status == 200
    await eventually(lambda: usable(2), within=60)
