"""The whole service, started as in production, and what the others tell it over Kafka."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.sync.main import create
from services.sync.settings import SyncSettings
from shared.contracts.contacts import CONTACTS
from shared.contracts.fact import Fact, Topic
from shared.contracts.topics import DOMAIN
from shared.messaging import CloudEvent
from shared.security import key_sha256, new_key
from shared.settings import PlatformSettings
from tests.sync.conftest import received
from tests.waiting import eventually
from tests.web import serving


@dataclass
class Running:
    """The service over HTTP, with the administrator's key."""

    http: aiohttp.ClientSession
    settings: PlatformSettings
    producer: AIOKafkaProducer
    sequence: int = 0
    seen: list[tuple[str, bytes]] = field(default_factory=list)

    async def tell(
        self, *facts: Fact, origin: str | None = None, sequence: int | None = None, under: str | None = None
    ) -> None:
        """What the other services tell, `under` the customer's id or another; the same sequence twice is the same event
        published twice.
        """
        for fact in facts:
            self.sequence += 1
            number = self.sequence if sequence is None else sequence
            event = CloudEvent(
                id=f"event-{number}",
                source="/rapport/test",
                type=fact.TYPE,
                data=fact.model_dump_json().encode(),
                sequence=f"{number:024x}",
                origin=origin,
            )
            await self.producer.send_and_wait(
                self.settings.namespace + topic_of(fact).name,
                event.data,
                key=received(fact, subject=under).subject.encode(),
                headers=event.headers(),
            )

    async def get(self, path: str, status: int = 200, **kwargs: Any) -> Any:
        async with self.http.get(path, **kwargs) as response:
            answer = await response.read()
            assert response.status == status, answer
            return orjson.loads(answer)

    async def send(self, method: str, path: str, body: Any = None, status: int = 200, **kwargs: Any) -> Any:
        async with self.http.request(method, path, json=body, **kwargs) as response:
            answer = await response.read()
            assert response.status == status, answer
            return orjson.loads(answer) if answer else None

    async def view(self, customer_id: str, **expected: Any) -> Any:
        """The customer's view, as soon as it is as expected."""

        async def look() -> Any:
            async with self.http.get(f"/v1/customers/{customer_id}") as response:
                if response.status == 404:
                    return None
                view = await response.json()
                return view if all(view["sales"].get(k, view.get(k)) == v for k, v in expected.items()) else None

        return await eventually(look)

    async def records(self, topic: Topic, count: int) -> list[tuple[bytes, bytes, dict[str, bytes]]]:
        """At least so many records of a topic, from its beginning."""
        name = self.settings.namespace + topic.name
        consumer = AIOKafkaConsumer(
            name, bootstrap_servers=self.settings.kafka_bootstrap, auto_offset_reset="earliest", group_id=None
        )
        await consumer.start()
        try:
            found: list[tuple[bytes, bytes, dict[str, bytes]]] = []

            async def enough() -> bool:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found.extend((record.key, record.value, dict(record.headers)) for record in records)
                return len(found) >= count

            await eventually(enough)
            return found
        finally:
            await consumer.stop()


def topic_of(fact: Fact) -> Topic:
    return next((topic for topic in DOMAIN if type(fact) in topic.facts), CONTACTS)


@asynccontextmanager
async def running(settings: PlatformSettings, **own: Any) -> AsyncIterator[Running]:
    """The service and its topics' other end. The namespace's topics must exist."""
    _, key, _ = new_key()
    quick = {"sync_allow_private_webhooks": True, "sync_retry_schedule": [0.1, 0.1], "sync_first_pause": 0.2, **own}
    platform = {**settings.model_dump(), "admin_key_sha256": key_sha256(key)}
    app = create(SyncSettings(**{**platform, **quick}))
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        async with serving(app, key) as http:
            service = Running(http, settings, producer)

            async def ready() -> bool:
                async with http.get("/readyz") as response:
                    return response.status == 200

            await eventually(ready)
            yield service
    finally:
        await producer.stop()
