"""The whole service, with real contacts beside it, real Kafka, MongoDB and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.contacts.main import create as create_contacts
from services.contacts.settings import ContactSettings
from services.interactions.api.examples import CALL, SALE
from services.interactions.main import create
from services.interactions.settings import Settings
from shared import mongo
from shared.messaging import CloudEvent
from shared.messaging.envelope import BATCH
from shared.messaging.received import Record
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.waiting import eventually
from tests.web import serving

ADMIN = f"rk_admin_{'a' * 43}"

Sent = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]
"""A record's key, value and headers."""


class Shop:
    """A running platform of contacts and interactions, as a channel system and an operator see it."""

    def __init__(self, settings: PlatformSettings) -> None:
        self.settings = settings.model_copy(update={"admin_key_sha256": key_sha256(ADMIN)})
        self.stack = AsyncExitStack()
        self.contacts_url = "http://127.0.0.1:9"
        self.http: aiohttp.ClientSession
        self.producer: AIOKafkaProducer

    async def open_contacts(self) -> None:
        given = ContactSettings(**self.settings.model_dump())
        client = await self.stack.enter_async_context(serving(create_contacts(given), ADMIN))
        self.contacts_url = str(client._base_url)

    async def ask_contacts(self, path: str, body: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {ADMIN}"}
        async with aiohttp.ClientSession(self.contacts_url, headers=headers) as client:
            return await post(client, path, body)

    @asynccontextmanager
    async def interactions(self, **changed: Any) -> AsyncIterator[aiohttp.ClientSession]:
        """One ready instance of the service; `changed` settings win."""
        async with self.started(**changed) as client:
            await eventually(lambda: _ready(client))
            yield client

    @asynccontextmanager
    async def started(self, **changed: Any) -> AsyncIterator[aiohttp.ClientSession]:
        told = {"contacts_url": self.contacts_url, "internal_key": ADMIN, **changed}
        settings = Settings(**(self.settings.model_dump() | told))
        async with serving(create(settings), ADMIN) as client:
            yield client

    async def produce(self, *records: Sent) -> None:
        for key, value, headers in records:
            topic = f"{self.settings.namespace}crm.inbound"
            await self.producer.send_and_wait(topic, key=key, value=value, headers=list(headers))

    async def records(self, topic: str, count: int) -> list[Record]:
        """The topic's records, once there are so many."""
        consumer = AIOKafkaConsumer(
            f"{self.settings.namespace}{topic}",
            bootstrap_servers=self.settings.kafka_bootstrap,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        found: list[Record] = []

        async def read() -> bool:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found.extend(records)
            return len(found) >= count

        try:
            await eventually(read)
        finally:
            await consumer.stop()
        return found


async def _ready(client: aiohttp.ClientSession) -> bool:
    async with client.get("/readyz") as response:
        return response.status == 200


async def get(client: aiohttp.ClientSession, path: str, **query: str | int) -> Any:
    async with client.get(path, params=query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def post(client: aiohttp.ClientSession, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    given = {"content-type": BATCH if path == "/v1/events" else "application/json"} | headers
    async with client.post(path, data=orjson.dumps(body), headers=given) as response:
        return response.status, await response.json(content_type=None)


def sale(order: str, card: str = "LC-1", event_id: str | None = None, **data: Any) -> dict[str, Any]:
    customer = [{"scheme": "loyalty-card", "value": card}]
    return SALE | {
        "id": event_id or f"sale-{order}",
        "data": SALE["data"] | {"customer": customer, "order": order} | data,
    }


def call(number: int, card: str = "LC-1") -> dict[str, Any]:
    customer = [{"scheme": "loyalty-card", "value": card}]
    return CALL | {"id": f"call-{number}", "data": CALL["data"] | {"customer": customer}}


def binary(event: Mapping[str, Any]) -> Sent:
    """The event as a record for `Shop.produce`."""
    told = CloudEvent(event["id"], event["source"], event["type"], orjson.dumps(event["data"]))
    return b"k", told.data, told.headers()


@pytest.fixture
async def shop(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Shop]:
    shop = Shop(settings)
    shop.producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, max_request_size=8_000_000)
    await shop.producer.start()
    yield shop
    await shop.stack.aclose()
    await shop.producer.stop()
    client = mongo.connect(settings)
    for service in ("contacts", "interactions"):
        await client.drop_database(f"{settings.namespace}rapport_{service}")
    await mongo.close(client)
