"""All services together, over real Kafka, MongoDB and Redis."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI

from services.campaigns.main import create as create_campaigns
from services.campaigns.settings import CampaignSettings
from services.contacts.main import create as create_contacts
from services.contacts.settings import ContactSettings
from services.interactions.main import create as create_interactions
from services.interactions.settings import Settings
from services.scoring.main import create as create_scoring
from services.scoring.settings import ScoringSettings
from services.sync.main import create as create_sync
from services.sync.settings import SyncSettings
from shared.messaging.envelope import BATCH
from shared.security import key_sha256
from shared.settings import PlatformSettings
from tests.interactions.conftest import Shop
from tests.sync.receiver import Receiver, receiving
from tests.waiting import eventually
from tests.web import serving

ADMIN = f"rk_admin_{'a' * 43}"
Event = dict[str, Any]


class Company:
    """All services, interactions twice, as channels and people see them."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.services: dict[str, aiohttp.ClientSession] = {}
        self._running: dict[str, AsyncExitStack] = {}
        self._apps: dict[str, Callable[[], FastAPI]] = {}

    async def found(self, name: str, app: Callable[[], FastAPI]) -> None:
        self._apps[name] = app
        await self.start(name)

    async def start(self, name: str) -> None:
        self._running[name] = AsyncExitStack()
        self.services[name] = await self._running[name].enter_async_context(serving(self._apps[name](), ADMIN))

    async def stop(self, name: str) -> None:
        await self._running[name].aclose()

    async def close(self) -> None:
        for name in reversed(self._running):
            await self.stop(name)

    async def get(self, service: str, path: str, **query: str | int) -> Any:
        async with self.services[service].get(path, params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, service: str, path: str, body: Any, content_type: str = "application/json") -> Any:
        headers = {"content-type": content_type}
        async with self.services[service].post(path, json=body, headers=headers) as answer:
            assert answer.status in {200, 201, 202}, await answer.text()
            return await answer.json()

    async def tell(self, *events: Event, instance: str = "interactions") -> None:
        told = await self.post(instance, "/v1/events", events, BATCH)
        assert told["accepted"] == len(events)

    async def recorded(self, **expected: Any) -> None:
        """Wait until both of its summaries say so."""

        async def look() -> bool:
            found = await self.get("interactions", "/v1/interactions/summary")
            found |= await self.get("interactions", "/v1/orders/summary")
            assert {name: found[name] for name in expected} == expected
            return True

        await eventually(look, within=60)

    async def agrees(self) -> None:
        """Wait until every service has the orders and the money that interactions has."""
        book = await self.get("interactions", "/v1/orders/summary")

        async def look() -> bool:
            viewed = await self.get("sync", "/v1/customers/summary")
            scored = await self.get("scoring", "/v1/scores/summary")
            assert (viewed["orders"], Decimal(viewed["total"])) == (book["orders"], Decimal(book["total"]))
            assert (scored["purchases"], Decimal(scored["money"])) == (book["orders"], Decimal(book["total"]))
            return True

        await eventually(look, within=60)

    async def meant(self, rule: Any) -> int:
        """How many customers campaigns finds by a rule."""
        found = await self.post("campaigns", "/v1/segments/preview", {"rule": rule})
        return int(found["customers"])


@pytest.fixture
async def company(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Company]:
    # A second instead of minutes, in which what erasures have missed is found.
    known_to_all = {"admin_key_sha256": key_sha256(ADMIN), "erasure_settle_seconds": 1}
    settings = settings.model_copy(update=known_to_all)
    company = Company(Shop(settings))

    async def found(
        name: str,
        create: Callable[[Any], FastAPI],
        kind: type[PlatformSettings],
        more: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        await company.found(name, lambda: create(kind(**(settings.model_dump() | more()))))

    def known() -> dict[str, Any]:
        """Where contacts is, which is elsewhere whenever it is started."""
        return {"contacts_url": str(company.services["contacts"]._base_url), "internal_key": ADMIN}

    try:
        await found("contacts", create_contacts, ContactSettings, lambda: {"contacts_log_look_seconds": 1})
        await found("interactions", create_interactions, Settings, lambda: {**known(), "instance": "a"})
        await found("interactions again", create_interactions, Settings, lambda: {**known(), "instance": "b"})
        await found("campaigns", create_campaigns, CampaignSettings)
        await found("scoring", create_scoring, ScoringSettings)
        await found("sync", create_sync, SyncSettings, lambda: {"sync_allow_private_webhooks": True})
        for service in company.services.values():
            await eventually(lambda service=service: is_ready(service), within=60)  # type: ignore[misc]
        yield company
    finally:
        await company.close()


async def is_ready(service: aiohttp.ClientSession) -> bool:
    async with service.get("/readyz") as answer:
        return answer.status == 200


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver
