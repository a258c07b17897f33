"""A service's start and stop, whole and in pieces: what runs in which order, and what is left behind."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import aiohttp
import pytest
from fastapi import FastAPI

from shared.contracts.sync import ACCESS
from shared.contracts.topics import ALL
from shared.messaging import Outgoing
from shared.messaging.envelope import CloudEvent
from shared.plumbing import Plumbing
from shared.settings import PlatformSettings
from tests.waiting import eventually
from tests.web import serving

pytestmark = pytest.mark.integration


class Steps:
    """Notes in which order a service's parts run."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.attempts = 0

    async def prepare(self) -> None:
        self.seen.append("prepare")

    async def job(self) -> None:
        self.seen.append("job")
        try:
            await asyncio.Event().wait()
        finally:
            self.seen.append("job ends")

    async def failing(self) -> None:
        self.attempts += 1
        if self.attempts < 3:
            raise KeyError("a bug that passes")

    async def close(self) -> None:
        self.seen.append("close")

    async def broken(self) -> None:
        self.seen.append("broken")
        raise KeyError("cannot start")


def app(plumbing: Plumbing, steps: Steps) -> FastAPI:
    return plumbing.app(
        title="Shop",
        description="A service of nothing but plumbing.",
        routers=[],
        prepare=[steps.prepare],
        jobs=[steps.job, steps.failing],
        close=[steps.close],
    )


async def answers(client: aiohttp.ClientSession, path: str, status: int) -> bool:
    async with client.get(path) as response:
        return response.status == status


async def test_a_service_starts_becomes_ready_and_stops_in_order(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    steps = Steps()
    plumbing = Plumbing("shop", settings)
    async with serving(app(plumbing, steps)) as client:
        await eventually(lambda: answers(client, "/readyz", 200))
        assert await answers(client, "/livez", 200)
        await eventually(lambda: steps.attempts >= 3)
        async with client.get("/metrics") as response:
            assert "rapport_outbox_age_seconds" in await response.text()
    assert steps.seen == ["prepare", "job", "job ends", "close"]


async def test_without_the_topics_a_service_is_alive_and_not_ready(settings: PlatformSettings) -> None:
    async with serving(app(Plumbing("shop", settings), Steps())) as client:
        assert await answers(client, "/readyz", 503)
        assert await answers(client, "/livez", 200)


async def test_a_start_that_fails_leaves_nothing_running(settings: PlatformSettings, topics: dict[str, int]) -> None:
    steps = Steps()
    before = asyncio.all_tasks()
    plumbing = Plumbing("shop", settings)
    made = plumbing.app(
        title="Shop", description="", routers=[], prepare=[steps.broken], jobs=[steps.job], close=[steps.close]
    )
    with pytest.raises(KeyError):
        async with made.router.lifespan_context(made):
            raise AssertionError
    assert steps.seen == ["broken", "close"]
    await eventually(lambda: not {t for t in asyncio.all_tasks() - before if not t.done()})


async def test_one_bad_key_fact_does_not_stop_the_table_of_keys(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    plumbing = Plumbing("shop", settings)
    async with serving(app(plumbing, Steps())) as client:
        await eventually(lambda: answers(client, "/readyz", 200))
        await plumbing.messaging.send(
            [
                Outgoing(ACCESS.name, b"k1", b"{", _headers("crm.access.key-issued.v1")),
                Outgoing(ACCESS.name, b"k1", None, []),
                Outgoing(ACCESS.name, b"k1", _issued(), _headers("crm.access.key-issued.v1")),
            ]
        )
        await eventually(lambda: _known(plumbing))


def _headers(type_: str) -> list[tuple[str, bytes]]:
    return CloudEvent("e1", "/rapport/sync", type_, b"").headers()


SECRET = "rk_k1_" + "s" * 43


def _issued() -> bytes:
    from shared.contracts.sync import KeyIssued
    from shared.security import key_sha256

    issued = KeyIssued(
        key_id="k1",
        name="till",
        kind="channel",
        scopes=["events:write"],
        secret_sha256=key_sha256(SECRET),
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return issued.model_dump_json().encode()


def _known(plumbing: Plumbing) -> bool:
    principal = plumbing.keys.principal(SECRET)
    return principal is not None and principal.name == "till"


def test_every_topic_that_services_use_is_created() -> None:
    assert ACCESS in ALL
