"""Duplicates as the whole service finds them: reports over Kafka, the queue over HTTP, real MongoDB."""

import asyncio
from typing import Any

import aiohttp
import pytest

from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.contacts.test_consumers import everybody, report, send, service
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession

ANN: dict[str, Any] = {
    "name": "Ann Example",
    "attributes": {"birthdate": "1980-02-29"},
    "address": {"lines": ["Hauptstr. 12"], "postal_code": "10115", "city": "Berlin", "country": "DE"},
    "emails": [{"typed": "ann@example.org"}],
}
"""Numbers and addresses in lists identify nobody: two reports of them are two contacts."""
ANNE = {**ANN, "name": "Anne Exampel", "emails": [{"typed": "anne@example.org"}, {"typed": "ann@example.org"}]}
BOB = {
    **ANN,
    "name": "Bob Example",
    "attributes": {"birthdate": "1948-11-03"},
    "emails": [{"typed": "bob@example.org"}],
}


async def queue(client: Client, query: str = "") -> list[dict[str, Any]]:
    status, page, _ = await ask(client, "GET", f"/v1/contacts/duplicates{query}")
    assert status == 200, page
    items: list[dict[str, Any]] = page["items"]
    return items


async def queued(client: Client, pairs: int) -> list[dict[str, Any]]:
    async def look() -> tuple[list[dict[str, Any]]]:
        items = await queue(client)
        assert len(items) == pairs
        return (items,)

    found: tuple[list[dict[str, Any]]] = await eventually(look, within=30)
    return found[0]


async def decide(client: Client, pair: str, what: str, **body: Any) -> tuple[int, Any]:
    status, answer, _ = await ask(client, "POST", f"/v1/contacts/duplicates/{pair}/{what}", body)
    return status, answer


async def set_limits(client: Client, automatic: float | None, review: float | None) -> None:
    body = {"automatic": automatic, "review": review}
    assert (await ask(client, "PUT", "/v1/contacts/duplicates/limits", body))[:2] == (200, body)


async def is_one(client: Client, *ids: str) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        found = [(await ask(client, "GET", f"/v1/contacts/{one}"))[1] for one in ids]
        assert len({one["customer_id"] for one in found}) == 1
        contact: dict[str, Any] = found[0]
        return contact

    return await eventually(look, within=30)


async def settled(client: Client) -> None:
    """Everything said so far has been looked at: a pair that is said last is found last."""
    marks = [
        await register(client, {"name": "Zebulon Quirk", "attributes": {"passport": f"Z{NOBODY[:8]}1"}}) for _ in "ab"
    ]
    ids = {one["customer_id"] for one in marks}

    async def look() -> bool:
        for one in await queue(client):
            if set(one["contacts"]) == ids:
                await decide(client, one["pair"], "accept")
        one, other = [(await ask(client, "GET", f"/v1/contacts/{each}"))[1]["customer_id"] for each in ids]
        return bool(one == other)

    await eventually(look, within=30)


async def test_duplicates_reported_over_kafka_are_queued_and_explained(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    async with service(settings) as client:
        await send(settings, [report(1, "1", 1, **ANN), report(2, "2", 2, **ANNE), report(3, "3", 3, **BOB)])
        first, *_ = await eventually(lambda: queue(client), within=30)
        people = await everybody(client)
        assert set(first["contacts"]) == {people["1"]["customer_id"], people["2"]["customer_id"]}
        assert first["sources"] == ["found"]
        assert first["probability"] > 0.95
        by_field = {reason["field"]: reason for reason in first["reasons"]}
        assert by_field["date of birth"]["words"] == "same date of birth"
        assert by_field["e-mail"]["left"] == by_field["e-mail"]["right"] == "ann@example.org"
        assert by_field["family name"]["bits"] > 0


async def test_once_all_are_compared_the_queue_is_all_there_is(client: Client) -> None:
    await asyncio.gather(*(register(client, body) for body in (ANN, ANNE, BOB)))

    async def look() -> bool:
        _, progress, _ = await ask(client, "GET", "/v1/contacts/duplicates/progress")
        assert progress == {"contacts": 3, "compared": 3}
        return True

    await eventually(look, within=30)
    [pair] = await queue(client)
    await decide(client, pair["pair"], "accept")
    _, progress, _ = await ask(client, "GET", "/v1/contacts/duplicates/progress")
    assert progress["contacts"] == 2


async def test_a_pair_is_accepted_once_and_is_then_one(client: Client) -> None:
    ann, anne = [(await register(client, body))["customer_id"] for body in (ANN, ANNE)]
    [pair] = await queued(client, 1)
    answers = [await decide(client, pair["pair"], "accept", reason="called her") for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][1] | {"merge_id": ""} == {
        "pair": pair["pair"], "outcome": "merged", "survivor": min(ann, anne), "merge_id": "",
    }  # fmt: skip
    assert (await is_one(client, ann, anne))["absorbed"] == [max(ann, anne)]
    await queued(client, 0)
    status, problem = await decide(client, pair["pair"], "reject")
    assert (status, problem["errors"][0]["field"]) == (409, "path.pair")
    _, read, _ = await ask(client, "GET", f"/v1/contacts/duplicates/{pair['pair']}")
    assert (read["decided"]["state"], read["decided"]["reason"]) == ("merged", "called her")
    assert read["reasons"] == pair["reasons"]


async def test_whoever_was_rejected_is_never_asked_again_also_as_part_of_another(client: Client) -> None:
    ann, anne = [(await register(client, body))["customer_id"] for body in (ANN, ANNE)]
    [pair] = await queued(client, 1)
    answers = [await decide(client, pair["pair"], "reject", reason="twins") for _ in range(2)]
    assert (
        answers[0]
        == answers[1]
        == (200, {"pair": pair["pair"], "outcome": "rejected", "survivor": None, "merge_id": None})
    )
    await ask(client, "PATCH", f"/v1/contacts/{ann}", {"attributes": {"birthdate": "1980-02-28"}})
    await ask(client, "PATCH", f"/v1/contacts/{anne}", {"attributes": {"birthdate": "1980-02-28"}})
    other = (await register(client, {"name": "Somebody Else"}))["customer_id"]
    await ask(client, "POST", f"/v1/contacts/{other}/merges", {"absorbed": anne})
    await settled(client)
    assert await queue(client) == []


async def test_a_merge_undone_counts_as_rejected(client: Client) -> None:
    ann, anne = [(await register(client, body))["customer_id"] for body in (ANN, ANNE)]
    [pair] = await queued(client, 1)
    _, done = await decide(client, pair["pair"], "accept")
    await ask(client, "POST", f"/v1/merges/{done['merge_id']}/undo", {"reason": "two people"})
    await settled(client)
    assert await queue(client) == []
    assert {(await ask(client, "GET", f"/v1/contacts/{one}"))[1]["customer_id"] for one in (ann, anne)} == {ann, anne}


async def test_above_its_limit_a_pair_is_merged_with_its_reasons(client: Client) -> None:
    ann, anne = [(await register(client, body))["customer_id"] for body in (ANN, ANNE)]
    bob = (await register(client, BOB))["customer_id"]
    await queued(client, 1)
    # What was queued before is merged too: all are looked at again.
    await set_limits(client, 0.9, 0.2)
    await is_one(client, ann, anne)
    merges = (await ask(client, "GET", f"/v1/contacts/{ann}/merges"))[1]["items"]
    assert [(one["merged_by"], one["undone_at"]) for one in merges] == [("/rapport/matching", None)]
    assert "same date of birth" in merges[0]["reason"]
    assert "1980" not in merges[0]["reason"]
    later = (await register(client, {**ANN, "phones": [{"typed": "+49 30 1234567"}]}))["customer_id"]
    await is_one(client, ann, later)
    await settled(client)
    assert (await ask(client, "GET", f"/v1/contacts/{bob}"))[1]["customer_id"] == bob


async def test_nobody_is_merged_unasked_whose_data_must_not_be_used(client: Client) -> None:
    ann, bob = [(await register(client, body))["customer_id"] for body in (ANN, BOB)]
    assert (await ask(client, "PUT", f"/v1/contacts/{ann}/restriction", {"reason": "accuracy"}))[0] == 200
    await set_limits(client, 0.9, 0.2)
    again, bobby = [(await register(client, body))["customer_id"] for body in (ANN, BOB)]
    await is_one(client, bob, bobby)
    await settled(client)
    assert (await ask(client, "GET", f"/v1/contacts/{again}"))[1]["customer_id"] == again
    [pair] = [one for one in await queue(client) if set(one["contacts"]) == {ann, again}]
    assert pair["probability"] > 0.9
    assert (await ask(client, "POST", f"/v1/contacts/duplicates/{pair['pair']}/accept", {}))[0] == 200


async def test_a_pair_reported_by_a_channel_is_shown_until_the_two_are_one(client: Client) -> None:
    ann = await register(client, {"email": "family@b.de"})
    bob = await register(client, {"name": "Bob"})
    await ask(client, "PATCH", f"/v1/contacts/{bob['customer_id']}", {"email": "family@b.de"})
    [pair] = await queued(client, 1)
    assert set(pair["contacts"]) == {ann["customer_id"], bob["customer_id"]}
    assert (pair["sources"], pair["identifiers"]) == (["reported"], ["email:family@b.de"])
    merge = {"absorbed": bob["customer_id"]}
    assert (await ask(client, "POST", f"/v1/contacts/{ann['customer_id']}/merges", merge))[0] == 200
    await queued(client, 0)


async def test_kinds_of_parties_are_not_held_against_each_other(client: Client) -> None:
    for party in ("person", "organisation", "household"):
        await register(client, {**ANN, "party": party, "attributes": {}})
    await settled(client)
    assert await queue(client) == []


async def test_limits_are_kept_and_wrong_ones_named(client: Client) -> None:
    path = "/v1/contacts/duplicates/limits"
    assert (await ask(client, "GET", path))[1] == {"automatic": None, "review": 0.2}
    for body, field in (
        ({"automatic": 0.4, "review": 0.2}, "body.automatic"),
        ({"automatic": 0.9, "review": 0.95}, "body.review"),
        ({"automatic": None, "review": 0}, "body.review"),
        ({"review": 0.5}, "body.automatic"),
    ):
        status, problem, _ = await ask(client, "PUT", path, body)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])
    await set_limits(client, 0.99, None)
    await set_limits(client, 0.99, None)
    assert (await ask(client, "GET", path))[1] == {"automatic": 0.99, "review": None}


async def test_the_queue_is_read_in_pages_the_most_probable_first(client: Client) -> None:
    await register(client, {"email": "shop@b.de"})
    await register(client, {"customer": [{"scheme": "crm", "value": "1"}]})
    for found in (await ask(client, "GET", "/v1/contacts?identifier=crm:1"))[1]["items"]:
        await ask(client, "PATCH", f"/v1/contacts/{found['customer_id']}", {"email": "shop@b.de"})
    for body in (ANN, ANNE, {**ANN, "attributes": {}, "emails": []}):
        await register(client, body)
    await settled(client)
    every = await queue(client)
    order = [-2.0 if one["probability"] is None else one["probability"] for one in every]
    assert len(every) >= 3
    assert order == sorted(order, reverse=True)
    pages, cursor = [], ""
    while True:
        page = (await ask(client, "GET", f"/v1/contacts/duplicates?limit=1{cursor}"))[1]
        pages += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == every


async def test_what_is_not_in_the_queue_is_said_so(client: Client) -> None:
    pair = f"{NOBODY}~{NOBODY[:-1]}c"
    for what in ("accept", "reject"):
        assert (await decide(client, pair, what))[0] == 404
        assert (await decide(client, "nonsense", what))[0] == 422
    assert (await ask(client, "GET", f"/v1/contacts/duplicates/{pair}"))[0] == 404
    assert (await ask(client, "GET", "/v1/contacts/duplicates?cursor=e30"))[0] == 400


async def test_a_restart_in_the_middle_finds_all(settings: PlatformSettings, topics: dict[str, int]) -> None:
    async def one_by_one(start: int, stop: int) -> None:
        for number in range(start, stop):
            born = {"birthdate": f"19{number + 40}-03-0{number % 9 + 1}"}
            twice = {**ANN, "name": f"{NAMES[number]} Example", "attributes": born, "emails": []}
            records = [report(number, str(number), 1, **twice), report(100 + number, str(100 + number), 1, **twice)]
            await send(settings, records)

    async with service(settings) as client:
        await one_by_one(0, 6)
        await eventually(lambda: queue(client), within=30)
    await one_by_one(6, 12)
    async with service(settings) as client:

        async def look() -> bool:
            people = await everybody(client)
            assert len(people) == 24
            pairs = {frozenset(one["contacts"]) for one in await queue(client, "?limit=1000")}
            couples = [frozenset(people[str(n + more)]["customer_id"] for more in (0, 100)) for n in range(12)]
            assert all(couple in pairs for couple in couples)
            return True

        await eventually(look, within=60)


NAMES = ("Olga", "Peter", "Wei", "Hannah", "Mohammed", "Ingrid", "Luc", "Priya", "Siobhan", "Yusuf", "Carmen", "Dmitri")
