"""Contacts from crm.inbound to crm.contacts: the whole service, real Kafka and MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.contacts.main import create
from services.contacts.settings import ContactSettings
from shared.contracts.channels import INBOUND
from shared.contracts.contacts import CONTACTS
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging.dead_letters import REASON
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.waiting import eventually
from tests.web import serving

pytestmark = pytest.mark.integration


@asynccontextmanager
async def service(settings: PlatformSettings) -> AsyncIterator[aiohttp.ClientSession]:
    _, key, sha256 = new_key()
    async with serving(
        create(ContactSettings(**settings.model_dump() | {"admin_key_sha256": sha256})), key=key
    ) as client:
        yield client


def report(
    number: int, customer: str, hour: int, source: str = "/channels/shop", **fields: Any
) -> tuple[str, Any, Any]:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", f"e{number}".encode()),
        ("ce_source", source.encode()),
        ("ce_type", b"crm.contact.reported.v1"),
        ("ce_time", b"2026-01-02T00:00:00Z"),
        ("content-type", b"application/json"),
        ("x-null", None),
    ]
    identifiers = [{"scheme": "shop", "value": customer}, {"scheme": "card", "value": f"c{customer}"}]
    data = {"customer": identifiers, "reported_at": f"2026-01-02T{hour:02}:00:00Z", **fields}
    return f"shop:{customer}", orjson.dumps(data), headers


async def send(settings: PlatformSettings, records: list[tuple[str, Any, Any]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for key, value, headers in records:
            await producer.send(settings.namespace + INBOUND.name, value, key.encode(), headers=headers)


@asynccontextmanager
async def log_of(settings: PlatformSettings, topic: str) -> AsyncIterator[list[Any]]:
    """The records of a topic, as they come."""
    records: list[Any] = []

    async def read(consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            records.append(record)  # noqa: PERF401 - the list is looked at while it grows

    async with AIOKafkaConsumer(
        settings.namespace + topic, bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        reading = asyncio.create_task(read(consumer))
        yield records
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def summary(client: aiohttp.ClientSession) -> Any:
    async with client.get("/v1/contacts/summary") as response:
        return await response.json()


async def everybody(client: aiohttp.ClientSession) -> dict[str, Any]:
    async with client.get("/v1/contacts?limit=1000") as response:
        items = (await response.json())["items"]
    return {str(one["value"]): item for item in items for one in item["identifiers"] if one["scheme"] == "shop"}


async def test_reports_become_contacts_once_and_are_told_with_origin_and_correlation(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    first = [report(n, str(n % 20), hour=1, name=f"Name {n % 20}") for n in range(40)]
    again = first[:5]
    later = [report(100 + n, str(n), hour=2, source="/channels/mail", language="de") for n in range(20)]
    others = [("shop:1", b"not json", []), ("shop:1", b"{}", [("ce_type", b"crm.sale.reported.v1")])]
    bad = report(200, "1", hour=3, email="nonsense")
    async with (
        service(settings) as client,
        log_of(settings, CONTACTS.name) as told,
        log_of(settings, DEAD_LETTERS.name) as dead,
    ):
        await send(settings, [*first, *again, *others, bad])
        await _reaches(client, {"contacts": 20, "duplicates": 5})
        await send(settings, later)
        contacts = await eventually(lambda: _all(client, language="de"), within=30)
        assert {number: contact["name"] for number, contact in contacts.items()} == {
            str(n): f"Name {n}" for n in range(20)
        }
        assert {contact["version"] for contact in contacts.values()} == {2}
        await eventually(lambda: len(told) >= 40, within=30)
        await eventually(lambda: len(dead) >= 1, within=30)

    assert len(told) == 40
    kinds = [dict(record.headers)["ce_type"] for record in told]
    assert kinds.count(b"crm.contact.registered.v1") == kinds.count(b"crm.contact.changed.v1") == 20
    for record in told:
        headers, contact = dict(record.headers), orjson.loads(record.value)["contact"]
        assert record.key.decode() == contact["customer_id"]
        assert headers["ce_origin"] == {1: b"/channels/shop", 2: b"/channels/mail"}[contact["version"]]
        assert headers["ce_correlationid"].startswith(b"e")
    assert [dict(record.headers)[REASON] for record in dead] == [b"invalid-data"]


async def _reaches(client: aiohttp.ClientSession, figures: dict[str, int]) -> None:
    async def look() -> bool:
        assert await summary(client) == figures
        return True

    await eventually(look, within=30)


async def _all(client: aiohttp.ClientSession, **fields: Any) -> dict[str, Any] | None:
    contacts = await everybody(client)
    return contacts if all(contact.get(k) == v for contact in contacts.values() for k, v in fields.items()) else None


async def test_two_instances_and_http_callers_agree_on_every_customer(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    reports = [report(n, str(n % 50), hour=n % 24, attributes={f"a{n % 3}": n}) for n in range(600)]
    question = {
        "customers": [[{"scheme": "card", "value": f"c{n}"}, {"scheme": "web", "value": str(n)}] for n in range(50)]
    }
    async with service(settings) as one, service(settings) as two:
        sending = asyncio.create_task(send(settings, reports))
        answers = []
        for client in (one, two) * 3:
            async with client.post("/v1/identities/resolve", json=question) as response:
                assert response.status == 200
                answers.append((await response.json())["customers"])
        await sending

        async def settled() -> dict[str, Any]:
            contacts = await everybody(one)
            assert len(contacts) == 50
            for number, contact in contacts.items():
                mine = [n for n in range(600) if n % 50 == int(number)]
                newest = {a: max((n % 24, str(n), n) for n in mine if n % 3 == a)[2] for a in range(3)}
                assert contact["attributes"] == {f"a{a}": n for a, n in newest.items()}
            return contacts

        contacts = await eventually(settled, within=60)
        assert await summary(one) == {"contacts": 50, "duplicates": 0}
    customers = [contacts[str(n)]["customer_id"] for n in range(50)]
    assert all(answer == customers for answer in answers)
