"""Erasure and restriction over HTTP, as the whole service does them: real application, real MongoDB, real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from shared.contracts.erasures import ErasureDone
from shared.messaging import CloudEvent
from shared.settings import PlatformSettings
from tests.contacts.running import contacts
from tests.contacts.test_api import NOBODY, ask, register
from tests.waiting import eventually

pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
ANN = {"customer": [{"scheme": "crm", "value": "1"}], "name": "Ann", "email": "ann@b.de"}
WHY = {"reason": "objection", "asked_by": "customer"}


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Client]:
    async with contacts(settings, erasure_settle_seconds=0) as session:
        yield session


async def erase(client: Client, customer: str, body: Any = WHY, **headers: str) -> tuple[int, Any]:
    status, answer, _ = await ask(client, "POST", f"/v1/contacts/{customer}/erasure", body, **headers)
    return status, answer


async def test_the_erased_are_gone_at_once_and_their_identifiers_are_free(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    status, erasure = await erase(client, ann)
    assert (status, erasure["customers"], erasure["reason"]) == (202, [ann], "objection")
    assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[0] == 404
    assert (await ask(client, "GET", "/v1/contacts?identifier=crm:1"))[1]["items"] == []
    assert (await ask(client, "PATCH", f"/v1/contacts/{ann}", {"name": "Ann"}))[0] == 404
    again = await register(client, ANN)
    assert again["customer_id"] != ann


async def test_asked_twice_it_is_one_erasure(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    answers = await asyncio.gather(*(erase(client, ann) for _ in range(3)))
    assert {status for status, _ in answers} == {202}
    assert len({answer["erasure_id"] for _, answer in answers}) == 1
    keyed = [await erase(client, ann, idempotency_key="k") for _ in range(2)]
    assert keyed[0] == keyed[1]


async def test_what_is_kept_for_requests_that_come_twice_is_erased_too(
    client: Client, settings: PlatformSettings
) -> None:
    body = ANN | {"name": "Xaverine"}
    status, ann, _ = await ask(client, "POST", "/v1/contacts", body, idempotency_key="first")
    assert status == 201
    _, erasure = await erase(client, ann["customer_id"], idempotency_key="second")
    await place_done(client, erasure, "contacts")
    status, answer, _ = await ask(client, "POST", "/v1/contacts", body, idempotency_key="first")
    assert (status, answer) == (410, None)
    assert (await erase(client, ann["customer_id"], idempotency_key="second"))[0] == 202


async def place_done(client: Client, erasure: Any, place: str) -> Any:
    async def look() -> Any:
        found = (await ask(client, "GET", f"/v1/erasures/{erasure['erasure_id']}"))[1]
        return found if place not in found["open"] else None

    return await eventually(look)


async def test_receipts_come_into_the_ledger_and_traces_go_with_the_one_who_needs_them(
    client: Client, settings: PlatformSettings
) -> None:
    ann = (await register(client, ANN))["customer_id"]
    _, erasure = await erase(client, ann)
    erasure_id = erasure["erasure_id"]
    path = f"/v1/erasures/{erasure_id}"
    traces = (await ask(client, "GET", f"{path}/traces"))[1]
    assert traces == {"identifiers": ["crm:1", "email:ann@b.de"], "texts": ["ann@b.de"]}
    found = await place_done(client, erasure, "contacts")
    [contacts] = [place for place in found["places"] if place["place"] == "contacts"]
    # What matching had noted by then, and whether it had, is its own affair.
    removed = {name: count for name, count in contacts["removed"].items() if name != "match_records"}
    assert removed == {"contacts": 1, "identities": 2, "changes": 1}

    others = ["interactions", "campaigns", "scoring", "sync", "log"]
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for number, place in enumerate([*others, "sync"]):
            fact = ErasureDone(erasure_id=erasure_id, place=place, at=datetime.now(UTC))
            event = CloudEvent(f"e{number}", "/rapport/test", fact.TYPE, fact.model_dump_json().encode())
            topic = f"{settings.namespace}crm.erasures"
            await producer.send_and_wait(topic, event.data, key=erasure_id.encode(), headers=event.headers())
    for place in others:
        found = await place_done(client, erasure, place)
    assert (found["open"], found["done_at"] is None) == ([], False)
    assert (await ask(client, "GET", f"{path}/traces"))[0] == 404
    assert (await ask(client, "GET", "/v1/erasures?status=open"))[1]["items"] == []
    assert [one["erasure_id"] for one in (await ask(client, "GET", "/v1/erasures?status=done"))[1]["items"]] == [
        erasure_id
    ]
    async with AsyncMongoClient[dict[str, Any]](settings.mongo_url) as mongo:
        row = await mongo[f"{settings.namespace}rapport_contacts"]["erasures"].find_one({"_id": erasure_id})
    assert row is not None
    assert "ann@b.de" not in str(row)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "because Ann Example asked", "asked_by": "customer"}, "body.reason"),
        ({"reason": "objection"}, "body.asked_by"),
        ({"reason": "objection", "asked_by": "Ann"}, "body.asked_by"),
        (WHY | {"reference": "Ann Example, Berlin"}, "body.reference"),
        (WHY | {"name": "Ann"}, "body.name"),
    ],
)
async def test_nothing_personal_can_be_kept_with_the_proof(client: Client, body: Any, field: str) -> None:
    ann = (await register(client, ANN))["customer_id"]
    status, problem = await erase(client, ann, body)
    assert status == 422
    assert field in str(problem["errors"])
    assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[0] == 200


async def test_bad_questions_are_problems(client: Client) -> None:
    assert (await erase(client, NOBODY))[0] == 404
    assert (await erase(client, "7"))[0] == 422
    assert (await ask(client, "GET", f"/v1/erasures/{NOBODY}"))[0] == 404
    assert (await ask(client, "GET", "/v1/erasures?cursor=x"))[0] == 400
    assert (await ask(client, "GET", "/v1/erasures?status=late"))[0] == 422
    for method, body in (("PUT", {"reason": "x"}), ("DELETE", None), ("GET", None)):
        assert (await ask(client, method, f"/v1/contacts/{NOBODY}/restriction", body))[0] == 404


async def test_erasures_are_listed_in_pages_the_latest_first(client: Client) -> None:
    ids = []
    for number in range(3):
        customer = (await register(client, {"name": f"N{number}"}))["customer_id"]
        ids.append((await erase(client, customer))[1]["erasure_id"])
    first = (await ask(client, "GET", "/v1/erasures?limit=2"))[1]
    second = (await ask(client, "GET", f"/v1/erasures?limit=2&cursor={first['next']}"))[1]
    assert [one["erasure_id"] for one in (*first["items"], *second["items"])] == ids[::-1]


async def test_a_restriction_is_of_all_who_are_one_and_is_lifted(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    bob = (await register(client, {"name": "Bob"}))["customer_id"]
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    path = f"/v1/contacts/{bob}/restriction"
    assert (await ask(client, "GET", path))[1]["restricted"] is False
    status, restriction, _ = await ask(client, "PUT", path, {"reason": "accuracy-contested"})
    assert (status, restriction["restricted"], restriction["reason"]) == (200, True, "accuracy-contested")
    again = (await ask(client, "PUT", path, {"reason": "other"}))[1]
    assert again == restriction
    assert (await ask(client, "GET", f"/v1/contacts/{ann}/restriction"))[1] == restriction
    for _ in range(2):
        assert (await ask(client, "DELETE", path))[1]["restricted"] is False
    assert (await ask(client, "GET", path))[1]["restricted"] is False
    assert (await ask(client, "PUT", path, {"reason": "Ann says so"}))[0] == 422


async def test_staff_are_told_who_is_restricted_and_no_file_holds_them(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    bob = (await register(client, {"name": "Bob"}))["customer_id"]

    async def marked() -> tuple[list[bool], list[str]]:
        read = [(await ask(client, "GET", f"/v1/contacts/{one}"))[1] for one in (ann, bob)]
        listed = {one["customer_id"]: one for one in (await ask(client, "GET", "/v1/contacts"))[1]["items"]}
        assert read == [listed[ann], listed[bob]]
        async with client.get("/v1/contacts/export?format=jsonl&fields=customer_id") as file:
            lines = (await file.text()).splitlines()
        return [one.get("restricted", False) for one in read], [orjson.loads(line)["customer_id"] for line in lines]

    await ask(client, "PUT", f"/v1/contacts/{ann}/restriction", {"reason": "accuracy-contested"})
    assert await marked() == ([True, False], [bob])
    status, held, _ = await ask(client, "GET", f"/v1/customers/{ann}/held")
    assert status == 200
    assert str(ANN["name"]) in str(held)
    await ask(client, "DELETE", f"/v1/contacts/{ann}/restriction")
    assert await marked() == ([False, False], [ann, bob])


async def test_who_is_found_to_be_somebody_restricted_is_restricted_too(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    bob = (await register(client, {"name": "Bob"}))["customer_id"]
    await ask(client, "PUT", f"/v1/contacts/{bob}/restriction", {"reason": "objected"})
    assert (await ask(client, "GET", f"/v1/contacts/{ann}/restriction"))[1]["restricted"] is False
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    for customer in (ann, bob):
        assert (await ask(client, "GET", f"/v1/contacts/{customer}/restriction"))[1]["restricted"] is True


async def test_whoever_is_merged_while_they_are_erased_is_erased_or_was_never_merged(client: Client) -> None:
    for number in range(4):
        ann = (await register(client, {"name": f"Ann {number}"}))["customer_id"]
        bob = (await register(client, {"name": f"Bob {number}"}))["customer_id"]
        (_, erasure), (status, _, _) = await asyncio.gather(
            erase(client, bob), ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
        )
        merged = status == 200
        assert status in {200, 404}
        assert set(erasure["customers"]) == ({ann, bob} if merged else {bob})
        assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[0] == (404 if merged else 200)
        assert (await ask(client, "GET", f"/v1/contacts/{bob}"))[0] == 404
