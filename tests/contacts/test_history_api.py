"""The history over HTTP and in MongoDB: pages, reasons, moments, hostile questions, and what erasing leaves."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.contacts.domain.changes import Author, Change, FieldChange
from services.contacts.store import HistoryStore
from shared import mongo
from shared.ids import uuid7
from shared.settings import PlatformSettings
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.contacts.test_merging_api import ANN, ANNA, merge
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def changed(client: Client, customer: str, **body: Any) -> Any:
    status, answer, _ = await ask(client, "PATCH", f"/v1/contacts/{customer}", body)
    assert status == 200, answer
    return answer


async def test_changes_come_newest_first_in_pages_with_who_and_why(client: Client) -> None:
    ann = (await register(client, ANN | {"reason": "Walked in"}))["customer_id"]
    for number in range(3):
        await changed(client, ann, attributes={"n": number}, reason=f"because {number}")
    consent = {"purpose": "ads", "channel": "any", "status": "denied", "given_at": "2026-01-01T00:00:00Z"}
    await ask(client, "PUT", f"/v1/contacts/{ann}/consents", {"consents": [consent], "reason": "By letter"})
    found: list[Any] = []
    cursor = ""
    while True:
        _, page, _ = await ask(client, "GET", f"/v1/contacts/{ann}/changes?limit=2{cursor}")
        found += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [one["version"] for one in found] == [5, 4, 3, 2, 1]
    assert [one["reason"] for one in found] == ["By letter", "because 2", "because 1", "because 0", "Walked in"]
    assert {one["by"] for one in found} == {"admin"}
    assert {one["source"] for one in found} == {"/keys/admin"}
    [field] = found[1]["fields"]
    assert (field["field"], field["before"], field["after"]) == ("attributes.n", 1, 2)
    [field] = found[0]["fields"]
    assert (field["field"], field["before"], field["after"][0]["status"]) == ("consents", [], "denied")


async def test_the_record_of_each_moment_across_a_merge_and_its_undoing(client: Client) -> None:
    ann, anna = (await register(client, ANN))["customer_id"], (await register(client, ANNA))["customer_id"]
    seen: list[tuple[str, str, Any]] = []

    async def later() -> bool:
        return stamp(datetime.now(UTC)) > seen[-1][1]

    async def look() -> None:
        for one in (ann, anna):
            _, contact, _ = await ask(client, "GET", f"/v1/contacts/{one}")
            seen.append((one, stamp(datetime.now(UTC)), contact))
        # What follows is recorded to the millisecond, and so must be in a later one.
        await eventually(later)

    await look()
    await changed(client, anna, email="anna@b.de", phones=[{"typed": "030 1234567"}])
    await look()
    _, done, _ = await merge(client, ann, anna)
    await look()
    await changed(client, anna, phones=[{"typed": "030 7654321"}], name="Anna B")
    await look()
    await ask(client, "POST", f"/v1/merges/{done['merge_id']}/undo", {"reason": "two people"})
    await look()
    for customer, moment, contact in seen:
        status, then, headers = await ask(client, "GET", f"/v1/contacts/{customer}?as_of={moment}")
        assert (status, then) == (200, contact)
        assert "etag" not in headers, "it is no version to change"
        assert ("content-location" in headers) == (contact["customer_id"] != customer)


async def test_what_cannot_be_known_is_a_clear_answer(client: Client) -> None:
    ann = (await register(client, ANN))["customer_id"]
    for path, status, field in (
        (f"/v1/contacts/{ann}?as_of=2020-01-01T00:00:00Z", 404, "query.as_of"),
        (f"/v1/contacts/{ann}?as_of=yesterday", 422, "query.as_of"),
        (f"/v1/contacts/{ann}?as_of=2026-01-01T00:00:00", 422, "query.as_of"),
        (f"/v1/contacts/{ann}?as_of=9999-12-31T23:59:59Z", 422, "query.as_of"),
        (f"/v1/contacts/{ann}/changes?cursor=x", 400, "query.cursor"),
        (f"/v1/contacts/{ann}/changes?cursor=eyJhdCI6MSwicGxhY2UiOjJ9", 400, "query.cursor"),
        (f"/v1/contacts/{NOBODY}/changes", 404, None),
        (f"/v1/contacts/{NOBODY}?as_of=2026-01-01T00:00:00Z", 404, None),
    ):
        found, problem, _ = await ask(client, "GET", path)
        assert (found, problem.get("errors", [{}])[0].get("field")) == (status, field), path
    status, problem, _ = await ask(client, "PATCH", f"/v1/contacts/{ann}", {"reason": "x" * 1001})
    assert (status, problem["errors"][0]["field"]) == (422, "body.reason")


async def test_a_change_reads_back_as_it_was_kept_and_erasing_leaves_no_value(settings: PlatformSettings) -> None:
    ann, bob = uuid7(NOW), uuid7(NOW)
    database = mongo.connect(settings)
    history = HistoryStore(database[f"{settings.namespace}rapport_contacts"])
    await history.prepare()
    fields = (
        FieldChange("attributes.a", None, 1, NOW),
        FieldChange("identifiers", [], [{"scheme": "a", "value": "$.\0"}]),
    )

    def change(customer: str, version: int, of: str) -> Change:
        author = Author("/channels/shop", None, "why", "e1")
        return Change(
            customer, version, "changed", NOW + timedelta(seconds=version), NOW, of, fields, author=author, said_at=NOW
        )

    changes = [change(ann, 1, ann), change(ann, 2, bob), change(bob, 3, bob), change(ann, 10, ann)]
    await history.add(changes, None)
    await history.add([], None)
    assert [one async for one in history.under(ann)] == [changes[3], changes[1], changes[0]]
    assert [one for _, one in await history.changes_of([bob], None, 9)] == [changes[2], changes[1]]
    [(place, first)] = await history.changes_of([ann, bob], None, 1)
    assert [one for _, one in await history.changes_of([ann, bob], (first.recorded_at, place), 9)] == [
        changes[2], changes[1], changes[0],
    ]  # fmt: skip
    await history.erase([bob])
    assert [one async for one in history.under(bob)] == []
    left = [one async for one in history.under(ann)]
    assert [(one.version, one.erased, len(one.fields)) for one in left] == [(10, False, 2), (2, True, 0), (1, False, 2)]
    assert left[1].author.reason is None
    await mongo.close(database)


async def test_of_many_who_change_one_at_a_time_every_version_is_kept_once_and_follows_the_one_before(
    client: Client,
) -> None:
    ann, anna = (await register(client, ANN))["customer_id"], (await register(client, ANNA))["customer_id"]

    async def change(number: int) -> None:
        await changed(client, (ann, anna)[number % 2], attributes={"n": number}, reason=str(number))

    _, done, _ = (await asyncio.gather(merge(client, ann, anna), *(change(number) for number in range(16))))[0]
    await asyncio.gather(*(change(number) for number in range(100, 108)))
    await ask(client, "POST", f"/v1/merges/{done['merge_id']}/undo", {})
    for customer in (ann, anna):
        _, contact, _ = await ask(client, "GET", f"/v1/contacts/{customer}")
        _, page, _ = await ask(client, "GET", f"/v1/contacts/{customer}/changes?limit=1000")
        own = [one for one in page["items"] if one["customer_id"] == customer and one["kind"] != "absorbed"]
        assert sorted(one["version"] for one in own) == list(range(1, contact["version"] + 1))
    # While they were one the survivor's versions tell of both, so what each found is what the one before has left.
    _, page, _ = await ask(client, "GET", f"/v1/contacts/{ann}/changes?limit=1000")
    told = [one for one in page["items"] if one["customer_id"] == ann and one["kind"] == "changed" and one["of"] == ann]
    assert len(told) == 12
    assert {one["reason"] for one in told} == {str(number) for number in (*range(0, 16, 2), *range(100, 108, 2))}
