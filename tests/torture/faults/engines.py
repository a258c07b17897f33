"""Kafka, MongoDB and Redis of one stage: started, killed, started again."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import psutil

from deploy.local import processes
from deploy.local.errors import NotReady
from deploy.local.layout import Layout
from deploy.local.servers import NAMES, Servers, kafka, mongo, redis
from deploy.local.servers.kafka import Listener
from deploy.local.servers.server import Address, Say

PATIENCE = 3
"""So many times the minute that a server usually has."""


class Engines:
    """The three servers. `dressed` is what every command line is led by, `env NAME=VALUE ...` or nothing."""

    def __init__(
        self, layout: Layout, listeners: Sequence[Listener], dress: dict[str, tuple[str, ...]], say: Say
    ) -> None:
        self.layout = layout
        self.kills = dict.fromkeys(NAMES, 0)
        chosen = (kafka.choose(layout, say, listeners), mongo.choose(layout), redis.choose(layout))
        self._servers = {
            server.name: replace(server, command=(*dress.get(server.name, ()), *server.command)) for server in chosen
        }

    def addresses(self) -> Servers:
        return Servers(**{name: Address(one.url, one.version, one.why) for name, one in self._servers.items()})

    async def up(self) -> None:
        await asyncio.gather(*(self.start(name) for name in NAMES))

    async def start(self, name: str) -> None:
        """Unless it runs; returns when it answers, for which a busy machine is given more time than a person has."""
        for _ in range(PATIENCE):
            with suppress(NotReady):
                await asyncio.to_thread(self._servers[name].up, self.layout)
                return
        await asyncio.to_thread(self._servers[name].up, self.layout)

    async def kill(self, name: str) -> None:
        """As a machine without power would end it; returns when it is gone."""
        record = processes.living(self.layout.run, name)
        if record and (process := record.process()):
            self.kills[name] += 1
            process.kill()
            await asyncio.to_thread(psutil.wait_procs, [process], 10)

    def runs(self, name: str) -> bool:
        return processes.living(self.layout.run, name) is not None

    def forget_redis(self) -> None:
        """Its data, while it does not run."""
        if self.runs("redis"):
            raise RuntimeError("redis runs")
        shutil.rmtree(self.layout.servers / "redis", ignore_errors=True)

    async def down(self) -> None:
        await asyncio.to_thread(processes.stop, self.layout.run, NAMES)
