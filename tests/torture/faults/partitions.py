"""Partitions are added, exactly as docs/decisions/0009-adding-partitions.md tells an operator to."""

from __future__ import annotations

import asyncio
import time

from deploy.local import drained, topics as local_topics
from deploy.local.routes import SERVICES
from tests.torture.faults.fault import Stroke
from tests.torture.faults.stage import Stage

DRAIN_SECONDS = 240.0
SESSION_SECONDS = 60.0
LOOK_SECONDS = 0.5


class Undrained(Exception):
    """The platform did not come to rest though nobody sent anything."""


class PartitionsAdded(Stroke):
    """All at once, so it is over when it has begun. Nothing else strikes meanwhile: nobody adds partitions in an outage."""

    def __init__(self, stage: Stage, more: int) -> None:
        things = ["kafka", "mongo", "redis", *(one.name for one in stage.plan.places())]
        links = [link.name for link in stage.links]
        super().__init__(stage, "partitions added", f"{more} more", 0.0, SERVICES, [*things, *links])
        self._more = more
        self.pause = 0.0
        """Seconds for which the channel systems had to wait."""

    async def begin(self) -> None:
        began = time.monotonic()
        senders = list(self.stage.senders)
        await asyncio.gather(*(sender.pause() for sender in senders))
        try:
            await self._change()
        finally:
            await asyncio.gather(*(sender.resume() for sender in senders))
        self.pause = time.monotonic() - began

    async def _change(self) -> None:
        stage = self.stage
        names = await self._stopped()
        partitions = stage.partitions + self._more
        try:
            await self._nobody_runs()
            await local_topics.enlarge(stage.kafka, stage.namespace, partitions)
            stage.partitions = partitions
        finally:
            await stage.fleet.start(names)
            await stage.fleet.ready(names)

    async def _nobody_runs(self) -> None:
        """As an operator, who is refused and tries again: who was killed is a member until its session ends."""
        deadline = time.monotonic() + SESSION_SECONDS
        while True:
            try:
                await drained.require(self.stage.kafka, self.stage.mongo, self.stage.namespace)
            except drained.NotDrained:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return

    async def _stopped(self) -> list[str]:
        """Let everything drain, stop the services, and see whether they have left nothing; else let them go on."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            await self._at_rest(deadline)
            names = await self.stage.fleet.stop_all()
            if not (left := await self._unfinished()):
                return names
            await self.stage.fleet.start(names)
            await self.stage.fleet.ready(names)
            if time.monotonic() > deadline:
                raise Undrained("; ".join(left))

    async def _at_rest(self, deadline: float) -> None:
        while left := await self._unfinished():
            if time.monotonic() > deadline:
                raise Undrained("; ".join(left))
            await asyncio.sleep(LOOK_SECONDS)

    async def _unfinished(self) -> list[str]:
        stage = self.stage
        return await drained.unfinished(stage.kafka, stage.mongo, stage.namespace, stopped=False)

    async def end(self) -> None:
        """Partitions stay."""
