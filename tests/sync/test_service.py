"""The whole service over Kafka and HTTP: facts in, views, keys and deliveries out."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from shared.contracts.interactions import SALES
from shared.contracts.sync import ACCESS, CUSTOMERS, CustomerChanged
from shared.contracts.topics import DEAD_LETTERS
from shared.settings import PlatformSettings
from tests.sync.facts import ANNA, BERT, contact, customer, interaction, order, score, selected
from tests.sync.receiver import Receiver
from tests.sync.running import Running, running
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def service(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Running]:
    async with running(settings) as service:
        yield service


async def test_facts_of_all_services_become_one_view(service: Running) -> None:
    card = [{"scheme": "loyalty-card", "value": "4711"}]
    await service.tell(order(ANNA, 1, "10.50"), order(ANNA, 2, "0.20"), contact(ANNA, identifiers=card))
    await service.tell(interaction(ANNA), score(ANNA), selected(ANNA), contact(BERT))

    async def complete() -> Any:
        view = await service.view(ANNA, orders=2)
        parts = (view["contact"], view["score"], view["campaigns"], view["recent_interactions"])
        return all(parts) and view

    view = await eventually(complete)
    assert (view["sales"]["total"], view["sales"]["currency"], view["interactions"]) == ("10.70", "USD", 1)
    await service.view(BERT)
    assert await service.get("/v1/customers/summary") == {"customers": 2, "orders": 2, "total": "10.70"}
    found = await service.get("/v1/customers", params={"identifier": "loyalty-card:4711"})
    assert [view["customer_id"] for view in found["items"]] == [ANNA]


async def test_every_version_is_told_and_the_last_is_the_view(service: Running) -> None:
    await service.tell(order(ANNA, 1))
    await service.view(ANNA, orders=1)
    await service.tell(order(ANNA, 2), origin="/channels/e-shop")
    view = await service.view(ANNA, orders=2)
    told = await service.records(CUSTOMERS, 2)
    assert [key for key, _, _ in told] == [ANNA.encode()] * 2
    facts = [CustomerChanged.model_validate_json(value) for _, value, _ in told]
    assert [fact.view.version for fact in facts] == [1, 2]
    assert orjson.loads(told[1][1])["view"] == view
    assert told[1][2]["ce_origin"] == b"/channels/e-shop"


async def test_an_event_published_twice_counts_once(service: Running) -> None:
    await service.tell(order(ANNA, 1), sequence=7)
    await service.tell(order(ANNA, 1), sequence=7)
    await service.tell(order(ANNA, 2), sequence=8)
    view = await service.view(ANNA, orders=2)
    assert view["sales"]["total"] == "21.00"


async def test_what_does_not_fit_a_view_is_set_aside_and_the_rest_goes_on(service: Running) -> None:
    await service.tell(order(ANNA, 1), order(ANNA, 2, currency="EUR"), order(ANNA, 3))
    view = await service.view(ANNA, orders=2)
    assert view["sales"]["total"] == "21.00"
    letters = await service.records(DEAD_LETTERS, 1)
    assert b"wrong-currency" in letters[0][2].values()
    assert SALES.name.encode() in b" ".join(value for value in letters[0][2].values() if value)


async def test_customers_are_listed_page_by_page(service: Running) -> None:
    await service.tell(*(contact(customer(n)) for n in range(5)))

    async def all_there() -> bool:
        return bool((await service.get("/v1/customers/summary"))["customers"] == 5)

    await eventually(all_there)
    seen: list[str] = []
    params = {"limit": "2"}
    while True:
        page = await service.get("/v1/customers", params=params)
        seen += [view["customer_id"] for view in page["items"]]
        if page["next"] is None:
            break
        params["cursor"] = page["next"]
    assert seen == [customer(n) for n in range(5)]


async def test_unknown_customers_and_bad_cursors_are_problems(service: Running) -> None:
    assert (await service.get(f"/v1/customers/{ANNA}", 404))["status"] == 404
    assert (await service.get("/v1/customers/anna", 422))["errors"][0]["field"] == "path.customer_id"
    assert (await service.get("/v1/customers", 400, params={"cursor": "x"}))["errors"][0]["field"] == "query.cursor"


async def test_a_key_works_until_it_is_revoked(service: Running) -> None:
    asked = {"name": "Report", "kind": "service", "scopes": ["customers:read", "keys:write"]}
    issued = await service.send("POST", "/v1/keys", asked, 201)
    bearer = {"authorization": f"Bearer {issued['key']}"}

    async def status() -> int:
        async with service.http.get("/v1/customers/summary", headers=bearer) as response:
            return response.status

    async def becomes(expected: int) -> bool:
        return await status() == expected

    await eventually(lambda: becomes(200))
    more = {"name": "More", "kind": "service", "scopes": ["customers:read", "channels:write"]}
    refused = await service.send("POST", "/v1/keys", more, 403, headers=bearer)
    assert refused["errors"][0]["field"] == "body.scopes.1"
    listed = await service.get("/v1/keys")
    assert [(key["key_id"], key["revoked_at"]) for key in listed["items"]] == [(issued["key_id"], None)]
    for _ in range(2):
        await service.send("DELETE", f"/v1/keys/{issued['key_id']}", status=204)
    await eventually(lambda: becomes(401))
    told = await service.records(ACCESS, 2)
    assert [headers["ce_type"] for _, _, headers in told] == [b"crm.access.key-issued.v1", b"crm.access.key-revoked.v1"]
    assert issued["key"].encode() not in told[0][1]
    await service.send("DELETE", "/v1/keys/unknown", status=404)


def webhook(url: str, **fields: Any) -> dict[str, Any]:
    said = {"channel_id": "e-shop", "kind": "webhook", "purpose": "service", "basis": "contract", "fields": ["*"]}
    return {**said, "url": url, **fields}


async def test_a_channel_is_registered_told_asked_about_and_removed(service: Running, receiver: Receiver) -> None:
    registered = await service.send("POST", "/v1/channels", webhook(receiver.url), 201)
    receiver.secret = registered["secret"]
    await service.tell(order(ANNA), order(BERT))

    async def told() -> bool:
        deliveries = await service.get("/v1/channels/e-shop/deliveries")
        return len(deliveries["items"]) == 2

    await eventually(told)
    status = await service.get("/v1/channels/e-shop")
    assert "secret" not in orjson.dumps(status).decode()
    assert (status["backlog"], status["failed"], status["trouble"], status["policy_version"]) == (0, 0, None, 1)
    delivery = (await service.get("/v1/channels/e-shop/deliveries", params={"limit": "1"}))["items"][0]
    assert (delivery["status"], delivery["version"], delivery["http_status"]) == ("delivered", 1, 204)
    await service.send("POST", "/v1/channels/e-shop/replay", {"customer_id": ANNA}, 202)
    await eventually(lambda: receiver.versions(ANNA) == [1, 1])
    await service.send("POST", "/v1/channels/e-shop/replay", {"all": True}, 202)
    await eventually(lambda: receiver.versions(ANNA) == [1, 1, 1])
    changed = await service.send("PATCH", "/v1/channels/e-shop", {"fields": ["sales"], "state": "paused"})
    assert (changed["policy_version"], changed["state"]) == (2, "paused")
    assert len((await service.get("/v1/channels"))["items"]) == 1
    secret = await service.send("POST", "/v1/channels/e-shop/secret", status=201)
    assert secret["secret"] != registered["secret"]
    await service.send("DELETE", "/v1/channels/e-shop", status=204)
    assert (await service.get("/v1/channels"))["items"] == []
    await service.get("/v1/channels/e-shop", 404)
    assert len((await service.get("/v1/channels/e-shop/deliveries"))["items"]) == 2


async def test_a_channel_registered_anew_under_an_old_name_gets_everything(
    service: Running, receiver: Receiver
) -> None:
    await service.send("POST", "/v1/channels", webhook(receiver.url), 201)
    await service.tell(order(ANNA))
    await eventually(lambda: receiver.versions(ANNA) == [1])
    await service.send("DELETE", "/v1/channels/e-shop", status=204)
    await service.send("POST", "/v1/channels", webhook(receiver.url), 201)
    await eventually(lambda: receiver.versions(ANNA) == [1, 1])
    assert len(set(receiver.ids)) == 2


async def test_what_cannot_be_registered_is_named(service: Running) -> None:
    url = "https://shop.example/hooks"
    wrong: list[tuple[dict[str, Any], str]] = [
        (webhook(url, fields=["sales", "salary"]), "body.fields.1"),
        (webhook("https://user:pw@shop.example/"), "body.url"),
        (webhook(url, channel_id="E Shop"), "body.channel_id"),
        (webhook(url, basis="because"), "body.basis"),
        (webhook(url, rate=0), "body.rate"),
        (webhook(url, fieldz=[]), "body.fieldz"),
    ]
    for body, field in wrong:
        problem = await service.send("POST", "/v1/channels", body, 422)
        assert problem["errors"][0]["field"] == field
    await service.send("POST", "/v1/channels", webhook(url), 201)
    await service.send("POST", "/v1/channels", webhook(url), 409)
    await service.send("PATCH", "/v1/channels/nobody", {"rate": 5}, 404)
    await service.send("POST", "/v1/channels/e-shop/replay", {}, 422)
    await service.send("POST", "/v1/channels/e-shop/replay", {"customer_id": ANNA}, 404)
    await service.send("POST", "/v1/channels/nobody/replay", {"all": True}, 404)


async def test_private_webhooks_are_refused_unless_they_are_allowed(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    async with running(settings, sync_allow_private_webhooks=False) as service:
        for url in ("http://shop.example/", "https://127.0.0.1/", "https://shop.example:22/"):
            problem = await service.send("POST", "/v1/channels", webhook(url), 422)
            assert problem["errors"][0]["field"] == "body.url"


async def test_the_service_goes_on_where_it_stopped(
    settings: PlatformSettings, topics: dict[str, int], receiver: Receiver
) -> None:
    async with running(settings) as service:
        await service.send("POST", "/v1/channels", webhook(receiver.url), 201)
        await service.tell(order(ANNA, 1))
        await eventually(lambda: receiver.versions(ANNA) == [1])
    async with running(settings) as service:
        service.sequence = 1
        await service.tell(order(ANNA, 2))
        await eventually(lambda: receiver.versions(ANNA) == [1, 2])
        assert (await service.view(ANNA, orders=2))["version"] == 2


async def test_every_route_is_documented(service: Running) -> None:
    document = await service.get("/openapi.json")
    assert {path for path in document["paths"] if path.startswith("/v1")} == {
        "/v1/audit",
        "/v1/audit/check",
        "/v1/channels",
        "/v1/channels/{channel_id}",
        "/v1/channels/{channel_id}/deliveries",
        "/v1/channels/{channel_id}/erasures/{erasure_id}",
        "/v1/channels/{channel_id}/erasures/{erasure_id}/customers/{customer_id}",
        "/v1/channels/{channel_id}/replay",
        "/v1/channels/{channel_id}/secret",
        "/v1/channels/{channel_id}/stream",
        "/v1/customers",
        "/v1/customers/summary",
        "/v1/customers/{customer_id}",
        "/v1/customers/{customer_id}/held",
        "/v1/keys",
        "/v1/keys/{key_id}",
    }
