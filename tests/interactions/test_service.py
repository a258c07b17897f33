"""The service as a whole: events in over HTTP and Kafka, history, orders and dead letters out."""

import asyncio
from typing import Any

import aiohttp
import orjson
import pytest
from redis.asyncio import Redis

from services.interactions.clients import IdentityCache
from shared.messaging.envelope import BATCH
from shared.settings import PlatformSettings
from tests.interactions.conftest import Sent, Shop, binary, call, get, post, sale
from tests.interactions.facts import ANNA
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def figures(client: aiohttp.ClientSession) -> dict[str, int]:
    told: dict[str, int] = await get(client, "/v1/interactions/summary")
    return told


async def recorded(client: aiohttp.ClientSession, **expected: int) -> None:
    """Wait until the service's figures are these."""

    async def look() -> bool:
        found = await figures(client)
        assert {name: found[name] for name in expected} == expected
        return True

    await eventually(look)


async def test_what_is_sent_is_history_under_one_customer_and_told_on(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        events = [sale("O-1"), sale("O-2", lines=[{"product": "P", "quantity": "1", "value": "0.10"}]), call(1)]
        assert await post(client, "/v1/events", events) == (202, {"accepted": 3, "rejected": []})
        await recorded(client, orders=2, interactions=1, duplicates=0)
        assert await get(client, "/v1/orders/summary") == {
            "orders": 2, "total": "2.09", "returned": "0", "cancelled": 0, "currency": "USD",
        }  # fmt: skip
        [order, _] = (await get(client, "/v1/orders"))["items"]
        customer_id = order["customer_id"]
        assert (order["number"], order["total"], order["discount"]) == ("O-1", "1.99", "0.20")
        history = (await get(client, "/v1/interactions", customer_id=customer_id))["items"]
        assert [(entry["kind"], entry["order"] is not None) for entry in history] == [
            ("call", False), ("order", True), ("order", True),
        ]  # fmt: skip
        placed = await shop.records("crm.sales", 2)
        told = await shop.records("crm.interactions", 1)
        assert {record.key for record in [*placed, *told]} == {customer_id.encode()}
        assert dict(told[0].headers)["ce_origin"] == b"/channels/call-centre"
        assert orjson.loads(placed[0].value or b"")["customer_id"] == customer_id


async def test_an_event_sent_three_times_by_both_roads_has_one_effect(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sale("O-1"), sale("O-1")])
        await shop.produce(binary(sale("O-1")), binary(sale("O-1", event_id="another")))
        await recorded(client, orders=1, duplicates=2, duplicate_orders=1)
        assert len(await shop.records("crm.sales", 1)) == 1


async def test_two_instances_record_a_flood_of_duplicates_exactly(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions(instance="a") as client, shop.interactions(instance="b") as other:
        events = [sale(f"O-{n}", card=f"LC-{n % 40}") for n in range(400)]
        batches = [events[n : n + 100] for n in range(0, 400, 100)]
        sent = [post(one, "/v1/events", batch) for batch in batches for one in (client, other, client)]
        assert all(status == 202 for status, _ in await asyncio.gather(*sent))
        await recorded(client, orders=400, duplicates=800)
        assert (await get(other, "/v1/orders/summary"))["total"] == "796.00"
        assert len(await shop.records("crm.sales", 400)) == 400


async def test_copies_of_an_event_that_reach_two_instances_at_once_have_one_effect(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions(instance="a") as client, shop.interactions(instance="b"):
        events = [binary(sale(f"O-{n}", card=f"LC-{n % 7}")) for n in range(150)]
        copies = [[(key, value, headers) for _, value, headers in events] for key in (b"p", b"q", b"r", b"s", b"t")]
        await asyncio.gather(*(shop.produce(*copy) for copy in copies))
        await recorded(client, orders=150, duplicates=600, duplicate_orders=0)
        assert len(await shop.records("crm.sales", 150)) == 150
        assert await get(client, "/v1/dead-letters/summary") == {}


async def test_without_contacts_events_wait_and_nothing_is_lost(shop: Shop) -> None:
    await shop.open_contacts()
    url = shop.contacts_url
    async with shop.interactions() as client:
        await post(client, "/v1/events", [call(1, card="known")])
        await recorded(client, interactions=1)
    await shop.stack.aclose()  # contacts is gone, and a new instance of ours remembers nobody
    async with shop.interactions(contacts_url=url) as client:
        assert (await post(client, "/v1/events", [call(2, card="known")]))[0] == 202
        await recorded(client, interactions=2)  # the cache has the answer
        assert (await post(client, "/v1/events", [call(3, card="new")]))[0] == 202

        async def retrying() -> bool:
            return bool((await get(client, "/readyz"))["retrying"])

        await eventually(retrying, within=30)
        assert (await figures(client))["interactions"] == 2
        assert await get(client, "/v1/dead-letters/summary") == {}
    await shop.open_contacts()
    async with shop.interactions() as client:
        await recorded(client, interactions=3)


async def test_without_redis_everything_works(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions(redis_url="redis://127.0.0.1:9/0") as client:
        await post(client, "/v1/events", [sale("O-1"), call(1)])
        await recorded(client, orders=1, interactions=1)


async def test_without_a_broker_the_answer_is_503(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sale("O-1")])
        await recorded(client, orders=1)
    async with shop.started(kafka_bootstrap="127.0.0.1:9") as client:
        async with client.post("/v1/events", json=[sale("O-2")], headers={"content-type": BATCH}) as response:
            assert (response.status, response.headers["retry-after"]) == (503, "2")
        assert (await figures(client))["orders"] == 1


REFUSED: dict[str, Sent] = {
    "malformed": (b"k", b'{"order":', binary(sale("x"))[2]),
    "empty": (b"k", None, binary(sale("x"))[2]),
    "invalid-envelope": (b"k", b"{}", [("ce_id", None), ("ce_type", b"crm.sale.reported.v1")]),
    "unknown-type": binary(sale("x") | {"type": "crm.sale.imagined.v1"}),
    "wrong-currency": binary(sale("x", currency="EUR")),
    "implausible-time": binary(sale("x", ordered_at="9999-12-31T23:59:59Z")),
    "invalid-data": binary(sale("x", lines=[])),
    "missing-identifier": binary(sale("x", customer=[])),
    "too-large": binary(sale("x", remark="x" * 2_000_000)),
}


async def test_bad_records_stop_nobody_and_are_kept_byte_for_byte(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await shop.produce(*REFUSED.values(), (None, b"\xff\xfe", [("odd", None)]), binary(sale("good")))
        await recorded(client, orders=1)

        async def kept() -> bool:
            summary = await get(client, "/v1/dead-letters/summary")
            assert summary == dict.fromkeys(REFUSED, 1) | {"malformed": 2}
            return True

        await eventually(kept)
        listed = (await get(client, "/v1/dead-letters"))["items"]
        assert all("body" not in letter and letter["handler"] == "interactions" for letter in listed)
        for letter in listed:
            full = await get(client, f"/v1/dead-letters/{letter['id']}")
            if full["encoding"] == "base64":
                assert full["body"] == "//4="
            elif letter["reason"] != "malformed":
                value = REFUSED[letter["reason"]][1]
                assert full["body"] == (value.decode() if value is not None else None)


async def test_a_replay_reaches_who_refused_it_once_the_cause_is_gone(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await shop.produce(*(binary(sale(f"O-{n}", currency="EUR")) for n in range(5)))

        async def kept() -> bool:
            return bool((await get(client, "/v1/dead-letters/summary")).get("wrong-currency") == 5)

        await eventually(kept)
        one = (await get(client, "/v1/dead-letters", reason="wrong-currency", limit=1))["items"][0]
    async with shop.interactions(currency="EUR") as client:
        path = f"/v1/dead-letters/{one['id']}/replay"
        status, first = await post(client, path, {}, **{"Idempotency-Key": "k-1"})
        again = await post(client, path, {}, **{"Idempotency-Key": "k-1"})
        assert (status, first["status"], first["replayed_by"], again) == (202, "replayed", "admin", (202, first))
        assert (await post(client, path, {}))[0] == 409
        await recorded(client, orders=1)
        assert await post(client, "/v1/dead-letters/replay", {"reason": "wrong-currency"}) == (
            202, {"replayed": 4, "left": 0},
        )  # fmt: skip
        await recorded(client, orders=5, duplicates=0)
        assert await get(client, "/v1/dead-letters/summary", status="open") == {}


async def test_a_replay_that_is_refused_again_is_a_new_dead_letter_that_counts_its_replays(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await shop.produce(binary(sale("O-1", currency="EUR")))

        async def kept(letters: int) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await get(client, "/v1/dead-letters"))["items"]
            assert len(found) == letters
            return found

        await eventually(lambda: kept(1))
        assert await post(client, "/v1/dead-letters/replay", {}) == (202, {"replayed": 1, "left": 0})
        again, first = await eventually(lambda: kept(2))
        assert (first["status"], first["replays"], again["status"], again["replays"]) == ("replayed", 0, "open", 1)
        assert (again["first_seen"], again["event_id"]) == (first["first_seen"], first["event_id"])


async def test_lists_are_pages_and_bad_questions_are_problems(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sale(f"O-{n}", card="LC-1") for n in range(5)] + [call(n) for n in range(3)])
        await recorded(client, orders=5, interactions=3)
        customer_id = (await get(client, "/v1/orders", limit=1))["items"][0]["customer_id"]
        for path, query, expected in (
            ("/v1/orders", {}, 5),
            ("/v1/orders", {"customer_id": customer_id}, 5),
            ("/v1/interactions", {}, 8),
            ("/v1/interactions", {"customer_id": customer_id}, 8),
            ("/v1/interactions", {"customer_id": customer_id, "kind": "call"}, 3),
        ):
            seen: list[str] = []
            cursor: dict[str, str] = {}
            while True:
                page = await get(client, path, limit=2, **query, **cursor)
                seen += [item.get("id") or item["order_id"] for item in page["items"]]
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
            assert len(seen) == len(set(seen)) == expected
        [found] = (await get(client, "/v1/orders", channel="/channels/north-pos", number="O-3"))["items"]
        assert await get(client, f"/v1/orders/{found['order_id']}") == found
        assert (await get(client, f"/v1/interactions/{found['order_id']}"))["order"]["number"] == "O-3"
        for path, status in (
            ("/v1/orders?cursor=x", 400),
            ("/v1/orders?channel=x", 422),
            ("/v1/interactions?customer_id=7", 422),
            (f"/v1/orders/{'0' * 32}", 404),
            ("/v1/interactions/7", 422),
            (f"/v1/dead-letters/{'0' * 32}", 404),
        ):
            async with client.get(path) as response:
                assert (response.status, response.content_type) == (status, "application/problem+json"), path


async def test_the_history_of_merged_customers_is_one_until_the_merge_is_taken_back(shop: Shop) -> None:
    await shop.open_contacts()
    async with shop.interactions() as client:
        await post(client, "/v1/events", [sale("O-1", card="LC-1"), sale("O-2", card="LC-2")])
        await recorded(client, orders=2)
        ann, bob = [order["customer_id"] for order in (await get(client, "/v1/orders"))["items"]]
        status, merge = await shop.ask_contacts(f"/v1/contacts/{ann}/merges", {"absorbed": bob})
        assert status == 200, merge
        for customer in (ann, bob):
            await ordered(client, customer, "O-1", "O-2")
        await post(client, "/v1/events", [sale("O-3", card="LC-2")])
        await ordered(client, ann, "O-1", "O-2", "O-3")
        await shop.ask_contacts(f"/v1/merges/{merge['merge_id']}/undo", {})
        await ordered(client, ann, "O-1")
        await ordered(client, bob, "O-2", "O-3")


async def ordered(client: aiohttp.ClientSession, customer: str, *numbers: str) -> None:
    """Wait until these are the customer's orders, and all that is in their history."""

    async def look() -> bool:
        orders = (await get(client, "/v1/orders", customer_id=customer))["items"]
        assert {order["number"] for order in orders} == set(numbers)
        assert len((await get(client, "/v1/interactions", customer_id=customer))["items"]) == len(numbers)
        return True

    await eventually(look)


async def test_the_cache_forgets_whose_an_identifier_was_and_nobody_elses(settings: PlatformSettings) -> None:
    bert = ANNA.replace("7", "8")
    async with Redis.from_url(settings.redis_url) as redis:
        cache = IdentityCache(redis, settings.namespace)
        known: dict[tuple[str, ...], str] = {
            (f"card:{number}",): ANNA if number % 2 else bert for number in range(2_500)
        }
        await cache.put(known)
        await cache.forget([ANNA])
        assert set((await cache.get(list(known))).values()) == {bert}
        await cache.forget([bert, ANNA])
        assert await cache.get(list(known)) == {}
