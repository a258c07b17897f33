"""The platform that trials run on: started, looked at, stopped. Nothing of it is left behind."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp
import psutil

from deploy.local import platform, processes, servers
from deploy.local.layout import Layout, shifted
from deploy.local.platform import Running
from deploy.local.routes import SERVICES
from tests.bench.section import Stage

RECEIVER_PORT = 50
"""Above the stage's base, where no part of the platform listens."""
ANSWER_SECONDS = 30
LAG = re.compile(r"^rapport_lag(?:\{[^}]*\})? (\S+)$", re.MULTILINE)


class Refused(Exception):
    """The platform has not done what a bench cannot do without."""


@dataclass(frozen=True)
class Ground:
    """A platform that answers, and one session to talk to it."""

    stage: Stage
    running: Running
    session: aiohttp.ClientSession

    @property
    def layout(self) -> Layout:
        return self.running.layout

    @property
    def kafka(self) -> str:
        return self.running.servers.kafka.url

    @property
    def admin_key(self) -> str:
        return self.running.admin_key

    @property
    def receiver_port(self) -> int:
        return self.stage.port_base + RECEIVER_PORT

    def url(self, service: str) -> str:
        """Straight to the service: the local gateway stands for an ingress, which is no part of the platform."""
        return f"http://127.0.0.1:{self.layout.ports[service]}"

    async def get(self, service: str, path: str) -> Any:
        return await self._ask("GET", self.url(service) + path)

    async def post(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        return await self._ask("POST", self.url(service) + path, json=body)

    async def _ask(self, method: str, url: str, **how: Any) -> Any:
        headers = {"authorization": f"Bearer {self.running.admin_key}"}
        async with self.session.request(method, url, headers=headers, **how) as response:
            if response.status >= 300:
                raise Refused(f"{method} {url}: {response.status} {(await response.text())[:1000]}")
            return await response.json()

    def versions(self) -> dict[str, str]:
        return {name: self.running.servers.named(name).version for name in servers.NAMES}

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each process so far."""
        return {name: cpu_of(found.pid) for name in platform.EVERYTHING if (found := self._record(name))}

    def memory_mb(self) -> dict[str, int]:
        return {
            name: psutil.Process(found.pid).memory_info().rss // 1_048_576
            for name in platform.EVERYTHING
            if (found := self._record(name))
        }

    def restarts(self) -> int:
        return sum(found.restarts for name in platform.EVERYTHING if (found := self._record(name)))

    def _record(self, name: str) -> processes.Record | None:
        return processes.living(self.layout.run, name)

    async def check(self, orders: int, total: Decimal) -> None:
        """Orders and money as the history and the views hold them. Raises Refused if it is not so much."""
        for service, path in (("interactions", "/v1/orders/summary"), ("sync", "/v1/customers/summary")):
            told = await self.get(service, path)
            if told["orders"] != orders or Decimal(told["total"]) != total:
                raise Refused(f"{service} holds {told}, and not {orders:,} orders of {total:,}")

    async def lag(self) -> int:
        """Records that the services have not consumed yet."""
        return sum([await self._lag(service) for service in SERVICES])

    async def _lag(self, service: str) -> int:
        async with self.session.get(self.url(service) + "/metrics") as response:
            return int(sum(float(found) for found in LAG.findall(await response.text())))


def cpu_of(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return float(used.user + used.system)


@asynccontextmanager
async def ground(stage: Stage, settings: Mapping[str, str] | None = None) -> AsyncIterator[Ground]:
    """A fresh platform on the stage's ports; stopped and wiped whatever happens."""
    for variable in servers.VARIABLES.values():
        os.environ.pop(variable, None)  # servers of somebody's own would be filled with load, and must not be wiped
    layout = Layout(stage.place / "state", shifted(stage.port_base))
    await asyncio.to_thread(platform.down, layout, wipe=True)
    require_free(stage.port_base + RECEIVER_PORT)
    try:
        running = await asyncio.to_thread(platform.up, layout, stage.say, settings)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield Ground(stage, running, session)
    finally:
        await asyncio.shield(asyncio.to_thread(platform.down, layout, wipe=True))


def require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Refused(f"port {port} is taken; use another --port-base") from None
