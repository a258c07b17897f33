"""The services' processes of one stage: kept running as a cluster would, killed, frozen, joined and taken away."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http import HTTPStatus

import psutil

from deploy.local import processes, services
from deploy.local.layout import Layout
from deploy.local.processes import Record
from deploy.local.services import Service
from deploy.local.supervisor import LOOK_SECONDS, Watched

READY_SECONDS = 120.0
GRACE_SECONDS = 30.0
PROBE_SECONDS = 10.0
PROBES = 3
"""A process that says so often in a row that it is not alive, or nothing at all, is ended: Kubernetes' own defaults."""


class NotReady(Exception):
    """A process did not become ready in time; its log says why."""


class Fleet:
    """What should run is in `_watched`; whatever of it ends is started again after the supervisor's own pauses."""

    def __init__(self, layout: Layout, members: Mapping[str, Service], probe_seconds: float = PROBE_SECONDS) -> None:
        self.kills: Counter[str] = Counter()
        """By name, those that were killed on purpose: what else was started again has died by itself."""
        self.frozen: set[str] = set()
        self.deaf: list[str] = []
        """Those that did not end within their grace when they were asked to."""
        self.lifeless: Counter[str] = Counter()
        """Those that were ended because they said, or seemed, not to be alive: a cluster mends that, but it is a fault of ours."""
        self._layout = layout
        self._members = dict(members)
        self._probe_seconds = probe_seconds
        self._watched: dict[str, Watched] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._changing = asyncio.Lock()

    # Being kept running

    async def up(self, names: Iterable[str]) -> None:
        await asyncio.to_thread(self._clear)
        for name in names:
            self._watch(name)
        self._watching.append(asyncio.create_task(self._keep(), name="fleet"))
        await self.ready(self._watched)
        self._watching.append(asyncio.create_task(self._probe(), name="probes"))

    async def _keep(self) -> None:
        while True:
            for name in self.names():
                async with self._changing:
                    if watched := self._watched.get(name):
                        await asyncio.to_thread(watched.look, time.time())
            await asyncio.sleep(LOOK_SECONDS)

    async def _probe(self) -> None:
        failures: Counter[str] = Counter()
        while True:
            await asyncio.sleep(self._probe_seconds)
            for name in self.names():
                failures[name] = 0 if await self._lives(name) else failures[name] + 1
                if failures[name] >= PROBES and name not in self.frozen:
                    failures[name] = 0
                    self.lifeless[name] += await self.kill(name)

    async def _lives(self, name: str) -> bool:
        """A frozen one cannot be asked: the machine that would ask it is thought to be frozen with it."""
        if name in self.frozen or self.record(name) is None:
            return True
        status, _ = await asyncio.to_thread(services.probe, self._members[name].port, "/livez")
        return status == HTTPStatus.OK

    def _watch(self, name: str) -> None:
        self._watched[name] = Watched(self._members[name], self._layout)

    def _clear(self) -> None:
        """What an earlier stage has left behind."""
        processes.stop(self._layout.run, self._members)
        for service in self._members.values():
            processes.require_free(service.name, service.port)

    async def ready(self, names: Iterable[str], within: float = READY_SECONDS) -> None:
        """Wait until all of them answer that they are."""
        deadline = time.monotonic() + within
        for name in list(names):
            while not await asyncio.to_thread(services.ready, self._members[name].port):
                if time.monotonic() > deadline:
                    raise NotReady(f"{name}: see {self._layout.log(name)}")
                await asyncio.sleep(0.1)

    async def down(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for name in list(self.frozen):
            self.thaw(name)
        await asyncio.to_thread(processes.stop, self._layout.run, list(self._members), GRACE_SECONDS)

    # What runs

    def names(self) -> list[str]:
        """Of those that should run."""
        return list(self._watched)

    def record(self, name: str) -> Record | None:
        return processes.living(self._layout.run, name)

    def restarts(self) -> dict[str, int]:
        """How often each has been started again, for whatever reason."""
        records = {name: processes.recorded(self._layout.run, name) for name in self._watched}
        return {name: record.restarts for name, record in records.items() if record}

    def unasked(self) -> dict[str, int]:
        """Restarts that no fault explains: processes that died by themselves."""
        return {name: extra for name, count in self.restarts().items() if (extra := count - self.kills[name]) > 0}

    # What is done to them

    async def kill(self, name: str) -> bool:
        """SIGKILL; returns when it is gone, and whether it ran."""
        record = self.record(name)
        if record is None or (process := record.process()) is None:
            return False
        self.kills[name] += 1
        self.frozen.discard(name)
        process.kill()
        await asyncio.to_thread(psutil.wait_procs, [process], 10)
        return True

    def freeze(self, name: str) -> bool:
        """SIGSTOP: it neither works nor knows that it does not."""
        if stopped := self._signal(name, signal.SIGSTOP):
            self.frozen.add(name)
        return stopped

    def thaw(self, name: str) -> bool:
        self.frozen.discard(name)
        return self._signal(name, signal.SIGCONT)

    def _signal(self, name: str, number: signal.Signals) -> bool:
        record = self.record(name)
        with suppress(psutil.NoSuchProcess, ProcessLookupError):
            if record and (process := record.process()):
                os.kill(process.pid, number)
                return True
        return False

    async def leave(self, name: str) -> None:
        """Stop it for good, in the orderly way."""
        async with self._changing:
            self._watched.pop(name, None)
        self.thaw(name)
        await self._stop([name])

    async def stop_all(self) -> list[str]:
        """As an operator does before work on the servers; returns what ran. `start` starts them again."""
        async with self._changing:
            names = self.names()
            self._watched.clear()
        for name in list(self.frozen):
            self.thaw(name)
        await self._stop(names)
        return names

    async def _stop(self, names: list[str]) -> None:
        began = time.monotonic()
        await asyncio.to_thread(processes.stop, self._layout.run, names, GRACE_SECONDS)
        if time.monotonic() - began >= GRACE_SECONDS:
            self.deaf += names

    async def start(self, names: Iterable[str]) -> None:
        """Have these run too, from now on; does not wait until they are ready."""
        async with self._changing:
            for name in names:
                if name not in self._watched:
                    self._watch(name)
                    self.kills[name] = 0  # its record begins anew as well
