"""The whole service on real servers: facts come in over Kafka, campaigns go out over Kafka, people use HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.campaigns.main import create
from services.campaigns.settings import CampaignSettings
from services.campaigns.store.campaigns import CampaignStore
from shared.contracts.campaigns import CAMPAIGNS
from shared.contracts.contacts import ContactRestricted
from shared.contracts.fact import Fact
from shared.mongo import Database
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.campaigns.api import ADMIN, CAMPAIGN, EVERYONE, Api
from tests.campaigns.facts import ban, cancelled, contact, customer, day, interaction, order, outgoing, returned, scored
from tests.waiting import eventually
from tests.web import serving

pytestmark = pytest.mark.integration

PEOPLE = 40


class Client(Api):
    """Speaks HTTP to the service, and Kafka for the services around it."""

    def __init__(self, http: aiohttp.ClientSession, producer: AIOKafkaProducer, namespace: str) -> None:
        super().__init__(http)
        self._producer = producer
        self._namespace = namespace
        self._number = 0

    async def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self._number += 1
            topic, key, value, headers = outgoing(fact, self._number)
            await self._producer.send(self._namespace + topic, value, key, headers=list(headers))
        await self._producer.flush()

    async def count(self, rule: object) -> int:
        found = await self.call("POST", "/v1/segments/preview", {"rule": rule})
        return int(found["customers"])


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Client]:
    given = settings.model_dump() | {"admin_key_sha256": key_sha256(ADMIN), "clock": "stream"}
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        async with serving(create(CampaignSettings(**given)), ADMIN) as http:
            client = Client(http, producer, settings.namespace)
            await eventually(lambda: ready(http))
            yield client
    finally:
        await producer.stop()


async def ready(http: aiohttp.ClientSession) -> bool:
    async with http.get("/readyz") as answer:
        return answer.status == 200


@pytest.fixture
async def shop(client: Client) -> Client:
    """A base of customers who bought once, on days 0 to 39, half of them valuable and slipping away."""
    facts: list[Fact] = []
    for n in range(PEOPLE):
        segment = "valuable-slipping" if n % 2 else "regular"
        facts += [order(n, customer(n), day(n), "20.00"), scored(customer(n), day(n), segment=segment)]
    await client.tell(*facts)
    await eventually(lambda: known(client, CAMPAIGN["segment"], PEOPLE // 2))
    await eventually(lambda: known(client, EVERYONE, PEOPLE))
    return client


async def known(client: Client, rule: object, customers: int) -> bool:
    return await client.count(rule) == customers


async def told(settings: PlatformSettings, expected: int) -> list[dict[str, Any]]:
    """What the service put on its topic."""
    consumer = AIOKafkaConsumer(
        settings.namespace + CAMPAIGNS.name, bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[dict[str, Any]] = []

    async def read() -> bool:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.extend(orjson.loads(record.value) | {"key": record.key.decode()} for record in records)
        return len(found) >= expected

    try:
        await eventually(read)
    finally:
        await consumer.stop()
    return found


async def test_a_campaign_from_its_segment_to_its_effect(shop: Client, settings: PlatformSettings) -> None:
    planned = await shop.call("POST", "/v1/campaigns", CAMPAIGN, 201)
    assert (planned["state"], planned["segment"]) == ("draft", CAMPAIGN["segment"])
    launched = await shop.call("POST", "/v1/campaigns/winback/launch")
    assert (launched["state"], launched["treated"] + launched["held_out"]) == ("launched", PEOPLE // 2)
    # The stream's clock: the draw is as of the newest order.
    assert launched["launched_at"] == "2017-02-09T00:00:00Z"

    facts = await told(settings, PEOPLE // 2 + 1)
    selected = {fact["customer_id"]: fact for fact in facts if "arm" in fact}
    assert sorted(selected) == [customer(n) for n in range(1, PEOPLE, 2)]
    assert len(facts) == PEOPLE // 2 + 1

    # At the draw, after it, at the end, after the end; and by somebody who is not in the campaign.
    buyer = next(one for one, fact in selected.items() if fact["arm"] == "treatment")
    times_and_totals = ((39, "1.00"), (39.01, "2.00"), (99, "4.00"), (99.01, "8.00"))
    orders = [order(n, buyer, day(at), total) for n, (at, total) in enumerate(times_and_totals, start=100)]
    await shop.tell(order(200, customer(2), day(50), "16.00"), *orders)
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 5}, 1))
    effect = await shop.call("GET", "/v1/campaigns/winback/effect")
    assert (effect["final"], effect["split"]["mismatch"]) == (True, False)
    treated = effect["treatment"]
    assert (treated["responders"], treated["orders"], treated["revenue"]) == (1, 2, "6.00")
    assert (effect["control"]["responders"], effect["control"]["revenue"]) == (0, "0")
    assert effect["verdict"][0].startswith("No effect on revenue is shown")
    page = await shop.call("GET", "/v1/campaigns/winback/customers?arm=treatment&limit=1000")
    bought = {"customer_id": buyer, "arm": "treatment", "orders": 2, "revenue": "6.00"}
    assert bought | {"standing": "contacted"} in page["items"]
    assert len(page["items"]) == launched["treated"]


async def test_an_order_from_before_the_launch_that_comes_after_it_does_not_count(shop: Client) -> None:
    await shop.call("POST", "/v1/campaigns", CAMPAIGN | {"segment": EVERYONE}, 201)
    await shop.call("POST", "/v1/campaigns/winback/launch")
    await shop.tell(order(100, customer(0), day(10)), order(101, customer(1), day(40)))
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 2}, 2))
    effect = await shop.call("GET", "/v1/campaigns/winback/effect")
    assert effect["treatment"]["orders"] + effect["control"]["orders"] == 1
    assert effect["verdict"][0].startswith("Preliminary")


async def test_what_becomes_of_a_response_changes_the_effect(shop: Client) -> None:
    await shop.call("POST", "/v1/campaigns", CAMPAIGN | {"segment": EVERYONE}, 201)
    await shop.call("POST", "/v1/campaigns/winback/launch")
    kept, void = order(100, customer(1), day(40), "9.00"), order(101, customer(2), day(41), "5.00")
    back = returned(1, kept, "2.50")
    await shop.tell(kept, void, back, cancelled(void), back, cancelled(void))
    await shop.tell(order(102, customer(3), day(42), "1.00"))
    await eventually(lambda: known(shop, {"field": "sales.cancelled", "is": 1}, 1))
    await eventually(lambda: known(shop, {"field": "sales.returned", "at_least": "2.50"}, 1))

    async def counted() -> bool:
        effect = await shop.call("GET", "/v1/campaigns/winback/effect")
        both = [effect["treatment"], effect["control"]]
        assert sum(arm["responders"] for arm in both) == sum(arm["orders"] for arm in both) == 2
        return sum(Decimal(arm["revenue"]) for arm in both) == Decimal("7.50")

    await eventually(counted)


async def test_an_order_counts_once_for_each_campaign_whose_window_holds_it(shop: Client) -> None:
    for name in ("one", "two"):
        await shop.call("POST", "/v1/campaigns", CAMPAIGN | {"campaign_id": name}, 201)
        await shop.call("POST", f"/v1/campaigns/{name}/launch")
    closed = await shop.call("POST", "/v1/campaigns/one/close")
    assert closed["state"] == "closed"
    await shop.tell(order(100, customer(1), day(40)))
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 2}, 1))
    orders = []
    for name in ("one", "two"):
        effect = await shop.call("GET", f"/v1/campaigns/{name}/effect")
        orders.append(effect["treatment"]["orders"] + effect["control"]["orders"])
    assert orders == [0, 1]


async def test_launching_and_closing_again_change_nothing(shop: Client, settings: PlatformSettings) -> None:
    await shop.call("POST", "/v1/campaigns", CAMPAIGN, 201)
    launched = await shop.call("POST", "/v1/campaigns/winback/launch")
    assert await shop.call("POST", "/v1/campaigns/winback/launch") == launched
    closed = await shop.call("POST", "/v1/campaigns/winback/close")
    assert await shop.call("POST", "/v1/campaigns/winback/close") == closed
    await shop.call("POST", "/v1/campaigns/winback/launch", status=409)
    assert len(await told(settings, PEOPLE // 2 + 1)) == PEOPLE // 2 + 1


async def test_a_launch_that_another_instance_left_behind_is_carried_on(shop: Client, database: Database) -> None:
    await shop.call("POST", "/v1/campaigns", CAMPAIGN, 201)
    await CampaignStore(database, timedelta(seconds=1)).begin("winback", None)
    await eventually(lambda: launched(shop))


async def test_customers_in_quiet_hours_are_told_when_these_are_over(shop: Client, settings: PlatformSettings) -> None:
    """By the stream's clock, which stands at midnight; one has asked not to be contacted meanwhile."""
    quiet = {"quiet_hours": {"from": "20:00", "until": "08:00"}, "control_share": 0, "segment": EVERYONE}
    await shop.call("POST", "/v1/campaigns", CAMPAIGN | quiet, 201)
    launched = await shop.call("POST", "/v1/campaigns/winback/launch")
    assert (launched["state"], launched["contacted"], launched["waiting"]) == ("launched", 0, PEOPLE)
    page = await shop.call("GET", "/v1/campaigns/winback/customers?limit=1000&standing=waiting")
    assert [one["customer_id"] for one in page["items"]] == [customer(n) for n in range(PEOPLE)]
    assert {(one["standing"], one["waiting_until"]) for one in page["items"]} == {("waiting", "2017-02-09T08:00:00Z")}
    asked = customer(5)
    await shop.tell(contact(asked, 1, do_not_contact=[ban("mail", day(39))]))
    await eventually(lambda: known(shop, {"field": "do-not-contact@mail", "is": True}, 1))
    await shop.tell(order(100, customer(1), day(39.4)))

    async def awake() -> bool:
        shown = await shop.call("GET", "/v1/campaigns/winback")
        return bool(shown["waiting"] == 0)

    await eventually(awake)
    shown = (await shop.call("GET", "/v1/campaigns?limit=5"))["items"][0]
    assert (shown["contacted"], shown["withheld"]) == (PEOPLE - 1, {"do-not-contact": 1})
    [kept] = (await shop.call("GET", "/v1/campaigns/winback/customers?standing=withheld"))["items"]
    assert (kept["customer_id"], kept["standing"], kept["withheld"]) == (asked, "withheld", "do-not-contact")
    assert "waiting_until" not in kept
    await shop.call("GET", "/v1/campaigns/winback/customers?standing=contacted", status=422)
    facts = [fact for fact in await told(settings, PEOPLE) if "arm" in fact]
    assert sorted(fact["customer_id"] for fact in facts) == [customer(n) for n in range(PEOPLE) if n != 5]


async def test_of_whoever_is_restricted_the_list_does_not_tell_what_they_bought_and_the_effect_counts_it(
    shop: Client,
) -> None:
    await shop.call("POST", "/v1/campaigns", CAMPAIGN | {"segment": EVERYONE}, 201)
    await shop.call("POST", "/v1/campaigns/winback/launch")
    hidden, other = customer(1), customer(2)
    await shop.tell(order(100, hidden, day(40), "3.00"), order(101, other, day(40), "2.00"))
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 2}, 2))
    seen = await listed(shop)
    assert (seen[hidden]["orders"], seen[hidden]["revenue"], "restricted" in seen[hidden]) == (1, "3.00", False)
    await shop.tell(ContactRestricted(customer_id=hidden, restricted=True, since=day(41)))
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 2}, 1))
    nothing_bought = {"orders": None, "revenue": None, "restricted": True}
    assert await listed(shop) == seen | {hidden: seen[hidden] | nothing_bought}
    effect = await shop.call("GET", "/v1/campaigns/winback/effect")
    assert sum(Decimal(effect[arm]["revenue"]) for arm in ("treatment", "control")) == Decimal("5.00")
    await shop.tell(ContactRestricted(customer_id=hidden, restricted=False, since=day(42)))
    await eventually(lambda: known(shop, {"field": "sales.orders", "is": 2}, 2))
    assert await listed(shop) == seen


async def listed(client: Client) -> dict[str, Any]:
    page = await client.call("GET", "/v1/campaigns/winback/customers?limit=1000")
    return {one["customer_id"]: one for one in page["items"]}


async def launched(client: Client) -> bool:
    return bool((await client.call("GET", "/v1/campaigns/winback"))["state"] == "launched")


async def test_contacts_and_interactions_can_be_asked_for_as_they_come_in(client: Client) -> None:
    await client.tell(
        contact(customer(1), 1, attributes={"income.band": "50-74K"}), interaction(1, customer(1), day(1), "web.visit")
    )
    both = [
        {"field": "contact.attributes.income.band", "in": ["50-74K"]},
        {"field": "interactions.count.web.visit", "at_least": 1},
    ]
    await eventually(lambda: known(client, {"all": both}, 1))
    preview = await client.call("POST", "/v1/segments/preview", {"rule": {"all": both}})
    assert preview == {"customers": 1, "sample": [customer(1)]}
