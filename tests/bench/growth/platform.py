"""A platform of a section's own: started on its ports, asked what its processes cost, and always stopped.

What is sent to it is `people`'s business.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
import psutil
from pymongo import AsyncMongoClient

from demo.stage import clear_given
from deploy.local import platform as local, processes, servers, services, supervisor
from deploy.local.layout import Layout, shifted
from deploy.local.platform import Running
from tests.bench.section import Stage

PATIENCE = 60.0
Seconds = dict[str, float]
"""CPU seconds by process."""


class Refused(Exception):
    """The platform answered otherwise than it should."""


@dataclass
class Platform:
    """A platform that runs, and one HTTP session and one MongoDB client to talk to it."""

    running: Running
    namespace: str
    settings: Mapping[str, str]
    session: aiohttp.ClientSession
    mongo: AsyncMongoClient[dict[str, Any]]
    became_ready: dict[str, float] = field(default_factory=dict)
    """Seconds from the command to start until each part was there."""

    @property
    def layout(self) -> Layout:
        return self.running.layout

    @property
    def bootstrap(self) -> str:
        return self.running.servers.kafka.url

    @property
    def engines(self) -> list[str]:
        return self.running.servers.lines()

    def database(self, service: str) -> Any:
        return self.mongo[f"{self.namespace}rapport_{service}"]

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.layout.ports[service]}"

    def processes(self) -> dict[str, psutil.Process]:
        """All that this platform has started, by name."""
        names = (*servers.NAMES, *services.NAMES)
        found = {name: record.process() for name in names if (record := processes.recorded(self.layout.run, name))}
        return {name: process for name, process in found.items() if process}

    def spent(self) -> Seconds:
        return {name: cpu_of(process) for name, process in self.processes().items()}

    def memory_mb(self) -> dict[str, float]:
        return {name: process.memory_info().rss / 1_048_576 for name, process in self.processes().items()}

    async def get(self, path: str, **params: str | int) -> Any:
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: object) -> Any:
        return await self._ask("POST", path, json=body)

    async def put(self, path: str, body: object) -> Any:
        return await self._ask("PUT", path, json=body)

    async def patch(self, path: str, body: object) -> Any:
        return await self._ask("PATCH", path, json=body)

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **how: Any) -> Any:
        headers = {"authorization": f"Bearer {self.running.admin_key}"}
        url = self.running.base_url + path
        async with self.session.request(method, url, headers=headers, **how) as answer:
            if answer.status >= 300:
                raise Refused(f"{method} {path}: {answer.status} {(await answer.text())[:500]}")
            return await answer.json() if answer.status != 204 else None

    async def register(self, channel: str, url: str) -> None:
        """A webhook that is told of names, sales and what happened last."""
        terms = {"purpose": "service", "basis": "contract", "fields": ["contact.name", "sales", "recent_interactions"]}
        await self.post("/v1/channels", {"channel_id": channel, "kind": "webhook", "url": url, **terms})

    async def stop(self, *names: str) -> None:
        """Stop these services (or all of them), which nobody starts again before `start`."""
        wanted = names or services.NAMES
        # The supervisor first: it would start again what it sees ending.
        await asyncio.to_thread(processes.stop, self.layout.run, [supervisor.NAME])
        await asyncio.to_thread(processes.stop, self.layout.run, wanted)

    async def restart_all(self) -> None:
        """Servers and services down and up again, on the same data."""
        await asyncio.to_thread(local.down, self.layout)
        await self.start()

    async def start(self) -> None:
        """Start whatever does not run, and note how long each part took."""
        self.running, self.became_ready = await asyncio.to_thread(up, self.layout, self.settings)


def up(layout: Layout, settings: Mapping[str, str]) -> tuple[Running, dict[str, float]]:
    began = time.monotonic()
    ready: dict[str, float] = {}

    def note(line: str) -> None:
        name, _, rest = line.partition(" is ready")
        if not rest and name in services.NAMES:
            ready[name] = time.monotonic() - began

    running = local.up(layout, note, settings)
    return running, ready | {"all": time.monotonic() - began}


def cpu_of(process: psutil.Process) -> float:
    """User and system time of all its threads."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def between(before: Seconds, after: Seconds) -> Seconds:
    """What each process has used; one that was started in between has used all that it has."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}


@asynccontextmanager
async def playing(stage: Stage, settings: Mapping[str, str] | None = None) -> AsyncIterator[Platform]:
    """Empty, on the stage's ports. A run that fails leaves its logs, one that ends leaves nothing."""
    layout = Layout(stage.place / "platform", shifted(stage.port_base))
    namespace = f"bench-{secrets.token_hex(4)}-"
    told = {"RAPPORT_NAMESPACE": namespace, **(settings or {})}
    await asyncio.to_thread(partial(local.down, layout, wipe=True))
    good = False
    try:
        running, ready = await asyncio.to_thread(up, layout, told)
        timeout, connector = aiohttp.ClientTimeout(total=PATIENCE), aiohttp.TCPConnector(limit=0)
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=connector) as session,
            AsyncMongoClient[dict[str, Any]](running.servers.mongo.url, tz_aware=True, maxPoolSize=256) as client,
        ):
            yield Platform(running, namespace, told, session, client, ready)
        good = True
    finally:
        await asyncio.to_thread(partial(local.down, layout, wipe=good))
        await asyncio.to_thread(clear_given, namespace)
