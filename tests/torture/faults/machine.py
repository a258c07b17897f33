"""What happens to the machine under a process: its clock is set, its disk is full."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from deploy.local.routes import SERVICES
from tests.torture.faults.deaths import hurt_by
from tests.torture.faults.disk import Disk
from tests.torture.faults.fault import Stroke
from tests.torture.faults.stage import Stage

PRESS_SECONDS = 1.0


class ClockJumps(Stroke):
    """The wall clock of some processes jumps by so much, and at the end back to the truth. Monotonic clocks stay true."""

    def __init__(self, stage: Stage, names: Sequence[str], jump: float, seconds: float) -> None:
        target = f"{' '.join(names)} by {jump:+.0f} s"
        engines = {"kafka", "mongo"} & set(names)
        hurt = SERVICES if engines else hurt_by(names)
        super().__init__(stage, "clock jumps", target, seconds, hurt, [f"clock of {name}" for name in names])
        self._names = names
        self._jump = jump

    async def begin(self) -> None:
        self._set(self._jump)

    async def end(self) -> None:
        self._set(0.0)

    def _set(self, seconds: float) -> None:
        clocks = self.stage.clocks
        assert clocks, "a stage without clocks has no such fault"
        for name in self._names:
            clocks.set(name, seconds)


class DiskFull(Stroke):
    """Nothing is free on the database's disk. mongod ends itself when it cannot write; it is started when there is room."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        super().__init__(stage, "disk full", "mongo", seconds, SERVICES, ["mongo"])
        self._pressing: asyncio.Task[None] | None = None
        self.died = False
        """Whether the database gave up, as MongoDB does."""

    @property
    def _disk(self) -> Disk:
        assert self.stage.disk, "a stage without a disk has no such fault"
        return self.stage.disk

    async def begin(self) -> None:
        await asyncio.to_thread(self._disk.fill)
        self._pressing = asyncio.create_task(self._press())

    async def _press(self) -> None:
        """Ask for a checkpoint: what mongod would do once a minute is what finds the disk full."""
        async with AsyncMongoClient[dict[str, object]](self.stage.mongo, serverSelectionTimeoutMS=1000) as client:
            while self.stage.engines.runs("mongo"):
                with suppress(PyMongoError):
                    await client.admin.command("fsync")
                await asyncio.to_thread(self._disk.fill)
                await asyncio.sleep(PRESS_SECONDS)
        self.died = True

    async def end(self) -> None:
        if self._pressing:
            self._pressing.cancel()
            await asyncio.gather(self._pressing, return_exceptions=True)
        self._disk.empty()
        await self.stage.engines.start("mongo")
