"""Fields defined while everything runs, as the whole service has them: real application, real MongoDB, real Kafka."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.contacts import CONTACTS
from shared.contracts.sync import ACCESS, KeyIssued
from shared.ids import uuid7
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.contacts.test_api import ask, client, register
from tests.contacts.test_consumers import everybody, log_of, report, send, service
from tests.waiting import eventually

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
TIER = {"type": "choice", "choices": ["silver", "gold"], "searchable": True, "title": {"en": "Tier"}}


async def define(client: Client, name: str, **definition: Any) -> tuple[int, Any]:
    status, body, _ = await ask(client, "PUT", f"/v1/contacts/fields/{name}", definition)
    return status, body


async def found(client: Client, query: str) -> list[str]:
    status, page, _ = await ask(client, "GET", f"/v1/contacts?{query}")
    assert status == 200, page
    return [one["name"] for one in page["items"]]


async def person(client: Client, name: str, **attributes: Any) -> str:
    return str((await register(client, {"name": name, "attributes": attributes}))["customer_id"])


async def test_a_field_is_defined_used_searched_and_forgotten(client: Client) -> None:
    status, field = await define(client, "tier", **TIER)
    assert (status, field["name"], field["sensitivity"], field["work"]) == (200, "tier", "internal", None)
    ann, _ = await person(client, "Ann", tier="gold"), await person(client, "Bob", tier="silver")
    assert await found(client, "field.tier=gold") == ["Ann"]
    status, problem, _ = await ask(client, "PATCH", f"/v1/contacts/{ann}", {"attributes": {"tier": "iron"}})
    assert (status, [one["field"] for one in problem["errors"]]) == (422, ["body.attributes.tier"])
    for query in ("field.tier=iron", "field.none=1", "field.tier=gold&field.tier=silver", "field.tier=&search=a"):
        assert (await ask(client, "GET", f"/v1/contacts?{query}"))[0] == 422
    status, problem = await define(client, "tier", type="number")
    assert (status, "2 contacts" in problem["detail"]) == (409, True)
    assert (await define(client, "tier", **TIER | {"choices": ["gold"]}))[0] == 409
    assert (await define(client, "tier", **TIER | {"choices": ["gold", "silver", "new"]}))[0] == 200
    assert (await ask(client, "DELETE", "/v1/contacts/fields/tier?values=keep"))[0] == 204
    assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["attributes"] == {"tier": "gold"}
    assert (await ask(client, "GET", "/v1/contacts/fields/tier"))[0] == 404
    assert (await ask(client, "DELETE", "/v1/contacts/fields/tier?values=keep"))[0] == 404
    assert (await define(client, "a.b", type="text"))[0] == 422


async def test_values_are_dropped_with_their_field(client: Client) -> None:
    await define(client, "size", type="number")
    ann = await person(client, "Ann", size=4, other="x")
    assert (await ask(client, "DELETE", "/v1/contacts/fields/size?values=drop"))[0] == 202
    assert (await ask(client, "PATCH", f"/v1/contacts/{ann}", {"attributes": {"size": 5}}))[0] == 422

    async def gone() -> bool:
        return (await ask(client, "GET", "/v1/contacts/fields/size"))[0] == 404

    await eventually(gone, within=60)
    assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["attributes"] == {"other": "x"}


async def test_a_search_knows_the_merged_as_all_their_parts_make_them(client: Client) -> None:
    await define(client, "tier", **TIER)
    ann, anna = await person(client, "Ann", tier="gold"), await person(client, "Anna", tier="silver")
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": anna})
    assert await found(client, "field.tier=gold") == []
    assert await found(client, "field.tier=silver") == ["Anna"]
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    assert await found(client, "field.tier=gold") == ["Ann"]


async def test_a_list_is_searched_by_its_entries(client: Client) -> None:
    sports = {"type": "list", "choices": ["golf", "chess", "golf-cart"], "searchable": True}
    before = await person(client, "Ann", sports="chess,golf")
    assert (await define(client, "sports", **sports))[0] == 200
    await person(client, "Bob", sports="golf")
    cleo = await person(client, "Cleo", sports="chess,golf-cart")
    await person(client, "Dora")
    assert await found(client, "field.sports=golf") == ["Ann", "Bob"]
    assert await found(client, "field.sports=golf,chess") == ["Ann"]
    assert await found(client, "field.sports=chess&search=cleo") == ["Cleo"]
    _, merge, _ = await ask(client, "POST", f"/v1/contacts/{before}/merges", {"absorbed": cleo})
    assert await found(client, "field.sports=golf-cart") == ["Cleo"]
    assert await found(client, "field.sports=golf") == ["Bob"]
    await ask(client, "POST", f"/v1/merges/{merge['merge_id']}/undo", {})
    assert await found(client, "field.sports=golf") == ["Ann", "Bob"]
    assert (await define(client, "sports", **sports, sensitivity="sensitive"))[0] == 200

    async def moved() -> bool:
        return bool((await ask(client, "GET", f"/v1/contacts/{before}"))[1].get("sensitive"))

    await eventually(moved, within=60)
    assert await found(client, "field.sports=golf") == ["Ann", "Bob"]
    for query in ("field.sports=", "field.sports=tennis", "field.sports=golf,"):
        assert (await ask(client, "GET", f"/v1/contacts?{query}"))[0] == 422


async def test_a_channels_value_that_does_not_fit_is_kept_out_and_named(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    async with service(settings) as client:
        await define(client, "tier", **TIER)
        await send(settings, [report(1, "ann", 1, name="Ann", attributes={"tier": "iron", "free": 1})])

        async def heard() -> bool:
            people = await everybody(client)
            return "ann" in people and people["ann"]["attributes"] == {"free": 1}

        await eventually(heard)
        ann = (await everybody(client))["ann"]["customer_id"]
        _, quality, _ = await ask(client, "GET", f"/v1/contacts/{ann}/quality")
        assert ("attributes.tier", "no-choice") in {(one["field"], one["reason"]) for one in quality["findings"]}
        await send(settings, [report(2, "ann", 2, attributes={"tier": "gold"})])

        async def mended() -> bool:
            _, quality, _ = await ask(client, "GET", f"/v1/contacts/{ann}/quality")
            return not any(one["field"] == "attributes.tier" for one in quality["findings"])

        await eventually(mended)


async def test_what_is_sensitive_is_shown_to_few(settings: PlatformSettings, topics: dict[str, int]) -> None:
    async with service(settings) as client, log_of(settings, CONTACTS.name) as told:
        ann = await person(client, "Ann", salary=7, size=4)
        await define(client, "salary", type="number", sensitivity="sensitive", searchable=True)

        async def moved() -> bool:
            return bool((await ask(client, "GET", f"/v1/contacts/{ann}"))[1].get("sensitive") == {"salary": 7})

        await eventually(moved, within=60)
        assert (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["attributes"] == {"size": 4}
        assert await found(client, "field.salary=7") == ["Ann"]
        await ask(client, "PATCH", f"/v1/contacts/{ann}", {"attributes": {"salary": 8}})
        assert (await ask(client, "DELETE", "/v1/contacts/fields/salary?values=keep"))[0] == 409

        reader = await clerk(settings)
        seen = await eventually(lambda: as_clerk(client, reader, f"/v1/contacts/{ann}"))
        assert "sensitive" not in seen
        assert "sensitive" not in (await as_clerk(client, reader, "/v1/contacts"))["items"][0]
        problem = await as_clerk(client, reader, "/v1/contacts?field.salary=8", status=422)
        assert problem["errors"][0]["field"] == "query.field.salary"

        await eventually(lambda: b'"sensitive":{"salary":8}' in told[-1].value)
        assert all(b'"attributes":{"salary"' not in record.value for record in told[1:])


async def clerk(settings: PlatformSettings) -> str:
    """The key of somebody who may read contacts, and nothing else."""
    key_id, key, sha256 = new_key()
    issued = KeyIssued(
        key_id=key_id,
        name="clerk",
        kind="person",
        scopes=["contacts:read"],
        secret_sha256=sha256,
        issued_at="2026-01-01T00:00:00Z",
    )
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", uuid7(datetime.now(UTC)).encode()),
        ("ce_source", b"/rapport/sync"),
        ("ce_type", KeyIssued.TYPE.encode()),
        ("ce_time", b"2026-01-02T00:00:00Z"),
        ("ce_subject", key_id.encode()),
        ("ce_sequence", b"00000000000000000001"),
        ("content-type", b"application/json"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        value = issued.model_dump_json().encode()
        await producer.send_and_wait(settings.namespace + ACCESS.name, value, key_id.encode(), headers=headers)
    return key


async def as_clerk(client: Client, key: str, path: str, status: int = 200) -> Any:
    async with client.get(path, headers={"authorization": f"Bearer {key}"}) as response:
        assert response.status == status
        return await response.json(content_type=None)
