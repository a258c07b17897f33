"""Merging over HTTP, as the whole service does it: real application, real MongoDB, real Kafka; and its races."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.contacts.test_api import NOBODY, ask, client, register

__all__ = ["client"]
pytestmark = pytest.mark.integration

ANN = {"customer": [{"scheme": "crm", "value": "1"}], "name": "Ann", "reported_at": "2026-01-01T00:00:00Z"}
ANNA = {"customer": [{"scheme": "card", "value": "7"}], "name": "Anna", "reported_at": "2026-01-02T00:00:00Z"}
Client = aiohttp.ClientSession


async def two(client: Client) -> tuple[str, str]:
    first, second = await register(client, ANN), await register(client, ANNA)
    return first["customer_id"], second["customer_id"]


async def merge(client: Client, survivor: str, absorbed: str, **headers: str) -> tuple[int, Any, Any]:
    body = {"absorbed": absorbed, "reason": "same card"}
    return await ask(client, "POST", f"/v1/contacts/{survivor}/merges", body, **headers)


async def read(client: Client, customer: str) -> tuple[Any, Any]:
    status, contact, headers = await ask(client, "GET", f"/v1/contacts/{customer}")
    assert status == 200, contact
    return contact, headers


async def test_a_merge_and_its_undoing(client: Client) -> None:
    ann, anna = await two(client)
    (before, _), (other, _) = await read(client, ann), await read(client, anna)
    status, done, _ = await merge(client, ann, anna)
    assert (status, done["survivor"], done["absorbed"], done["reason"]) == (200, ann, anna, "same card")
    (whole, whole_headers), (same, headers) = await read(client, ann), await read(client, anna)
    assert whole == same
    assert (whole["name"], whole["absorbed"]) == ("Anna", [anna])
    assert headers["content-location"] == f"/v1/contacts/{ann}"
    assert "content-location" not in whole_headers
    assert (await ask(client, "GET", "/v1/contacts?identifier=card:7"))[1]["items"] == [whole]
    assert (await ask(client, "GET", "/v1/contacts"))[1]["items"] == [whole]
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 1

    status, undone, _ = await ask(client, "POST", f"/v1/merges/{done['merge_id']}/undo", {"reason": "two people"})
    assert (status, undone["undo_reason"]) == (200, "two people")
    (after, _), (freed, _) = await read(client, ann), await read(client, anna)
    for earlier, later in ((before, after), (other, freed)):
        assert later["version"] > earlier["version"]
        stamp = {"version": 0, "changed_at": ""}
        assert {**later, **stamp} == {**earlier, **stamp}
    assert (await ask(client, "GET", f"/v1/contacts/{anna}/merges"))[1]["items"] == [undone]


async def test_asked_again_under_the_same_key_or_without_the_answer_is_the_same(client: Client) -> None:
    ann, anna = await two(client)
    answers = [await merge(client, ann, anna, idempotency_key="k") for _ in range(2)] + [await merge(client, ann, anna)]
    assert [status for status, _, _ in answers] == [200] * 3
    assert len({done["merge_id"] for _, done, _ in answers}) == 1
    undo = f"/v1/merges/{answers[0][1]['merge_id']}/undo"
    undone = [(await ask(client, "POST", undo, {}))[:2] for _ in range(2)]
    assert undone[0] == undone[1]


async def test_what_cannot_be_merged_is_said_in_words(client: Client) -> None:
    ann, anna = await two(client)
    status, problem, _ = await merge(client, ann, ann)
    assert (status, problem["errors"][0]["field"]) == (422, "body.absorbed")
    assert (await merge(client, ann, NOBODY))[0] == 404
    assert (await merge(client, NOBODY, ann))[0] == 404
    assert (await ask(client, "POST", f"/v1/merges/{NOBODY}/undo", {}))[0] == 404
    assert (await ask(client, "GET", f"/v1/contacts/{NOBODY}/merges"))[0] == 404
    assert (await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": "x"}))[0] == 422
    await merge(client, ann, anna)
    status, problem, headers = await merge(client, anna, ann)
    assert (status, problem["errors"][0]["field"]) == (409, "path.customer_id")
    assert headers["location"] == f"/v1/contacts/{ann}"


async def test_merged_both_ways_at_once_one_wins_and_the_other_is_told(client: Client) -> None:
    ann, anna = await two(client)
    answers = await asyncio.gather(merge(client, ann, anna), merge(client, anna, ann))
    assert sorted(status for status, _, _ in answers) == [200, 409]
    ((_, done, _),) = [answer for answer in answers if answer[0] == 200]
    for customer in (ann, anna):
        contact, _ = await read(client, customer)
        assert (contact["customer_id"], contact["absorbed"]) == (done["survivor"], [done["absorbed"]])


async def test_links_of_a_chain_at_once_make_one_chain_or_say_why_not(client: Client) -> None:
    ids = [(await register(client, {"name": f"n{n}"}))["customer_id"] for n in range(4)]
    pairs = [(ids[n + 1], ids[n]) for n in range(3)]
    answers = await asyncio.gather(*(merge(client, *pair) for pair in pairs))
    stand = [pair for pair, (status, _, _) in zip(pairs, answers, strict=True) if status == 200]
    assert {status for status, _, _ in answers} <= {200, 409}
    assert stand
    into = {absorbed: survivor for survivor, absorbed in stand}
    for customer in ids:
        root = customer
        while root in into:
            root = into[root]
        assert (await read(client, customer))[0]["customer_id"] == root


async def test_what_is_said_while_a_merge_goes_on_is_in_the_whole_and_goes_back_when_undone(client: Client) -> None:
    ann, anna = await two(client)

    async def say(customer: str, code: str) -> None:
        status, problem, _ = await ask(client, "PATCH", f"/v1/contacts/{customer}", {"attributes": {code: code}})
        assert status == 200, problem

    told = [say(customer, f"{name}{n}") for n in range(5) for customer, name in ((ann, "ann"), (anna, "anna"))]
    (status, done, _), *_ = await asyncio.gather(merge(client, ann, anna), *told)
    assert status == 200
    every = {f"{name}{n}" for n in range(5) for name in ("ann", "anna")}
    assert set((await read(client, ann))[0]["attributes"]) == every
    await ask(client, "POST", f"/v1/merges/{done['merge_id']}/undo", {})
    for customer, name in ((ann, "ann"), (anna, "anna")):
        assert set((await read(client, customer))[0]["attributes"]) == {f"{name}{n}" for n in range(5)}
