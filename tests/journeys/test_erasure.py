"""A customer who wants to be forgotten: every service and every channel removes them, and says so."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from services.campaigns.store import erasing as in_campaigns
from services.contacts.store import erasing as in_contacts
from services.interactions.store import erasing as in_interactions
from services.scoring.store import erasing as in_scoring
from services.sync.store import erasing as in_sync
from shared import idempotency
from shared.erasing.tombstones import COLLECTION as ERASED
from shared.erasing.work import COLLECTION as ERASING
from shared.settings import PlatformSettings
from tests.journeys import traces
from tests.journeys.conftest import Company
from tests.journeys.somebody import CARD, PERSON, WHY, done_but_for, listed, listened_to, met
from tests.journeys.test_returns import sale
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
CORE = {"offsets", "outbox", "relay", "seen", "clock", idempotency.COLLECTION, ERASED, ERASING}
"""Of every service: positions, events on their way out, ids of events, and what erasing itself needs."""


ONLY_IDS = {"erasures", "erased", "erasing", "views", "deliveries", "channel_erasures", "idempotency"}
"""What is left: the ledger, tombstones, and proof of what channels were sent."""


async def nothing_left(settings: PlatformSettings) -> None:
    """Outboxes let go of what they have told within a second or two."""

    async def gone() -> bool:
        kept = traces.kept(settings, PERSON)
        assert kept == []
        return True

    await eventually(gone)


async def nothing_but_ids(company: Company, person: traces.Person) -> None:
    async def gone() -> bool:
        # What the cache knows of their cards (a key with a colon) is overruled, and ends by itself.
        kept = {place.split(".")[-1] for place in traces.kept(company.shop.settings, person) if ":" not in place}
        assert kept <= ONLY_IDS, kept
        return True

    await eventually(gone)


async def test_nobody_knows_the_erased_any_more(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    logs = traces.logged(monkeypatch)
    await listened_to(company, receiver)
    customer = await met(company, receiver)
    settings = company.shop.settings
    assert {"rapport_contacts.contacts", "rapport_sync.views", "rapport_interactions.dead_letter_bodies"} <= set(
        traces.kept(settings, PERSON)
    )

    erasure = await company.post("contacts", f"/v1/contacts/{customer}/erasure", WHY)
    assert erasure["customers"] == [customer]
    found = await done_but_for(company, erasure, "log")
    removed = {one["place"]: one["removed"] for one in found["places"]}
    assert removed["contacts"]["identities"] == 3
    assert removed["interactions"] == {"history": 2, "dead_letters": 1}
    assert removed["campaigns"] == {"profiles": 1, "orders": 1}
    assert removed["scoring"] == {"customers": 1, "deeds": 1}
    assert removed["sync"]["views"] == 1
    assert receiver.bodies[-1] | {"version": 0, "changed_at": ""} == {
        "channel": "e-shop",
        "policy_version": 1,
        "customer_id": customer,
        "version": 0,
        "changed_at": "",
        "withheld": [],
        "erased": erasure["erasure_id"],
        "customer": {},
    }
    await nothing_left(settings)
    assert not PERSON.within(b"\n".join(logs))
    assert not PERSON.within(caplog.text.encode())
    assert logs

    for service, path in (("contacts", "/v1/contacts"), ("sync", "/v1/customers"), ("scoring", "/v1/scores")):
        async with company.services[service].get(f"{path}/{customer}") as answer:
            assert answer.status == 404
    assert (await company.post("contacts", f"/v1/contacts/{customer}/erasure", WHY))["erasure_id"] == (
        erasure["erasure_id"]
    )

    # The log still has what was told before, and says so, until it forgets.
    assert {"crm.inbound", "crm.contacts", "crm.customers", "crm.dead-letters"} <= await traces.told(settings, PERSON)
    assert "crm.erasures" not in await traces.told(settings, PERSON)
    await traces.two_weeks_pass(settings)
    assert await traces.told(settings, PERSON) == set()
    await done_but_for(company, erasure)

    # The card is nobody's now: who comes with it is somebody new, whatever caches say.
    await company.tell(sale("O-2", "7.00", card=CARD))
    orders = await eventually(lambda: listed(company))
    assert [order["customer_id"] != customer for order in orders] == [True]


async def test_every_collection_is_in_the_table_of_its_service(company: Company, receiver: Receiver) -> None:
    """Whoever adds a collection has to say whether something of customers is in it."""
    await listened_to(company, receiver)
    await met(company, receiver)
    sales, nobody = None, lambda *_: None  # what they are made with does not matter for the table
    tables: dict[str, tuple[Any, Any]] = {
        "contacts": (in_contacts.STEPS, in_contacts.HOLDS_NONE),
        "interactions": (in_interactions.steps(Nothing(), nobody, sales), in_interactions.HOLDS_NONE),  # type: ignore[arg-type]
        "campaigns": (in_campaigns.steps(Nothing()), in_campaigns.HOLDS_NONE),  # type: ignore[arg-type]
        "scoring": (in_scoring.steps(Nothing(), Nothing(), Nothing()), in_scoring.HOLDS_NONE),  # type: ignore[arg-type]
        "sync": (in_sync.steps(Nothing(), Nothing(), nobody), in_sync.HOLDS_NONE),  # type: ignore[arg-type]
    }
    found = traces.collections(company.shop.settings)
    assert found.keys() == tables.keys()
    for service, (steps, holds_none) in tables.items():
        named = {collection for step in steps for collection in step.collections} | holds_none.keys() | CORE
        assert found[service] - named == set(), f"say in services/{service}/store/erasing.py what these hold"


class Nothing:
    """Stands for a store that nobody asks."""

    def __getitem__(self, _: str) -> None:
        return None


async def test_a_channel_that_is_down_keeps_the_erasure_open_until_it_is_back(
    company: Company, receiver: Receiver
) -> None:
    await listened_to(company, receiver)
    customer = await met(company, receiver)
    receiver.answer = lambda _: web.Response(status=500)
    erasure = await company.post("contacts", f"/v1/contacts/{customer}/erasure", WHY)
    await done_but_for(company, erasure, "log", "channel:e-shop")
    assert not any("erased" in body for body in receiver.bodies)
    receiver.answer = lambda _: web.Response(status=204)
    await company.post("sync", "/v1/channels/e-shop/replay", {"customer_id": customer})
    await done_but_for(company, erasure, "log")
    assert receiver.bodies[-1]["erased"] == erasure["erasure_id"]


async def test_what_is_under_way_while_somebody_is_erased_brings_nobody_back(
    company: Company, receiver: Receiver
) -> None:
    await listened_to(company, receiver)
    customer = await met(company, receiver)

    async def flood() -> None:
        for number in range(10, 40):
            await company.tell(sale(f"O-{number}", "1.00", card=CARD), instance="interactions again")

    erasure, _ = await asyncio.gather(company.post("contacts", f"/v1/contacts/{customer}/erasure", WHY), flood())
    await done_but_for(company, erasure, "log")
    await nothing_but_ids(company, traces.Person(customer))
    # All that was under way may have come before; whoever comes back is somebody new.
    await company.tell(sale("O-99", "1.00", card=CARD), instance="interactions again")
    orders = await eventually(lambda: listed(company))
    assert customer not in {order["customer_id"] for order in orders}


async def test_all_whom_a_customer_was_found_to_be_are_erased_together(company: Company, receiver: Receiver) -> None:
    await listened_to(company, receiver)
    ann = await met(company, receiver)
    await company.tell(sale("O-9", "3.00", card="LC-9"))
    await company.recorded(orders=2)
    [bob] = {order["customer_id"] for order in await listed(company)} - {ann}
    await company.tell(sale("O-10", "0.50", card="LC-10"))
    await company.recorded(orders=3)
    [cat] = {order["customer_id"] for order in await listed(company)} - {ann, bob}
    await company.post("contacts", f"/v1/contacts/{ann}/merges", {"absorbed": bob})

    async def merged() -> bool:
        assert (await company.get("scoring", f"/v1/scores/{bob}"))["customer_id"] == ann
        assert await company.meant({"field": "score.purchases", "is": 2}) == 1
        assert await company.meant({"field": "sales.orders", "is": 2}) == 1
        return bool((await company.get("sync", f"/v1/customers/{ann}"))["sales"]["orders"] == 2)

    await eventually(merged, within=60)
    erasure = await company.post("contacts", f"/v1/contacts/{bob}/erasure", WHY)
    assert set(erasure["customers"]) == {ann, bob}
    found = await done_but_for(company, erasure, "log")
    removed = {one["place"]: one["removed"] for one in found["places"]}
    assert (removed["contacts"]["merges"], removed["sync"]["views"], removed["sync"]["parts"]) == (1, 2, 2)
    assert removed["scoring"] == {"customers": 2, "links": 1, "deeds": 2}
    assert removed["campaigns"] == {"links": 1, "profiles": 2, "orders": 2}
    told = {body["customer_id"] for body in receiver.bodies if "erased" in body}
    assert told == {ann, bob}
    summary = await company.get("sync", "/v1/customers/summary")
    assert (summary["customers"], summary["orders"], Decimal(summary["total"])) == (1, 1, Decimal("0.5"))
    scored = await company.get("scoring", "/v1/scores/summary")
    assert scored["customers"] == 1
    assert [one["customer_id"] for one in (await company.get("scoring", "/v1/scores"))["items"]] == [cat]
    assert await company.meant({"field": "sales.orders", "at_least": 0}) == 1
    assert await company.meant({"field": "sales.total", "at_most": "0.50"}) == 1
    assert [order["customer_id"] for order in await listed(company)] == [cat]
    for gone in (ann, bob):
        await nothing_but_ids(company, traces.Person(gone))


async def test_services_that_were_down_do_their_part_when_they_are_back(company: Company, receiver: Receiver) -> None:
    await listened_to(company, receiver)
    customer = await met(company, receiver)
    away = ("campaigns", "scoring")
    for service in away:
        await company.stop(service)
    await company.tell(sale("O-3", "4.00", card=CARD))
    await company.recorded(orders=2)
    erasure = await company.post("contacts", f"/v1/contacts/{customer}/erasure", WHY)
    await done_but_for(company, erasure, "log", *away)
    for service in away:
        await company.start(service)
    found = await done_but_for(company, erasure, "log")
    removed = {one["place"]: one["removed"] for one in found["places"]}
    assert removed["campaigns"] == {"profiles": 1, "orders": 1}
    assert removed["scoring"] == {"customers": 1, "deeds": 1}
    await nothing_left(company.shop.settings)
