"""Decides which webhooks this instance delivers to: one worker for each channel whose lease it holds."""

import asyncio
import time
from dataclasses import dataclass
from typing import Protocol

import structlog

from services.sync.domain.channel import Channel
from services.sync.domain.positions import Cursor
from services.sync.handlers.deliveries import LostLease
from services.sync.handlers.tail import happened
from services.sync.handlers.webhooks import Lease, Post, Worker
from shared.logging import whereabouts

log = structlog.get_logger(__name__)
GRACE = 5.0
"""Seconds that deliveries under way have to end when the service stops; what does not goes out again later."""
EVERY = 1.0
"""Seconds until a change of a channel on another instance takes effect here."""


class LeaseStore(Protocol):
    """Who may deliver to a channel. Times are those that each instance has waited itself, so no clocks need to agree."""

    async def lease(self, channel_id: str, owner: str, seconds: float) -> bool: ...

    async def release(self, channel_id: str, owner: str, reach: Cursor) -> None:
        """`reach`: up to where the channel was really sent anything."""


@dataclass
class Running:
    lease: Lease
    worker: Worker
    task: asyncio.Task[None]


class Dispatch:
    """The workers of this instance. An instance that dies loses its channels when their leases end."""

    def __init__(self, leases: LeaseStore, post: Post, *, owner: str, lease_seconds: float) -> None:
        self.leases = leases
        self.post = post
        self.owner = owner
        self.lease_seconds = lease_seconds
        self.running: dict[str, Running] = {}
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """A channel has changed here: do not wait for the next look."""
        self._nudged.set()

    async def run(self) -> None:
        """Keep the workers in step with the channels. Never returns; cancelled, it lets deliveries under way end."""
        try:
            while True:
                try:
                    await self.look()
                except Exception as error:  # noqa: BLE001 - the leases run out, and the next look may succeed
                    log.error("dispatch_failed", error=type(error).__name__, at=whereabouts(error))
                await happened(self._nudged, EVERY)
                self._nudged.clear()
        finally:
            await self.stop()

    async def look(self) -> None:
        """Read the channels, keep the leases held, take those that are free, and forget workers that have ended."""
        if await self.post.channels.refresh():
            self.post.tail.wake()
        for channel_id in [c for c, running in self.running.items() if running.task.done()]:
            await self.forget(channel_id)
        for channel in list(self.post.channels.known.values()):
            if self.post.channels.active(channel.channel_id, "webhook"):
                await self.hold(channel)

    async def hold(self, channel: Channel) -> None:
        running = self.running.get(channel.channel_id)
        if running and running.lease.valid_until - time.monotonic() > self.lease_seconds * 0.75:
            return
        # Counted from before the question, so that it ends here before it ends in the database.
        until = time.monotonic() + self.lease_seconds
        if not await self.leases.lease(channel.channel_id, self.owner, self.lease_seconds):
            return
        if running:
            running.lease.valid_until = until
            return
        lease = Lease(self.owner, until)
        worker = Worker(channel.channel_id, lease, self.post)
        self.running[channel.channel_id] = Running(lease, worker, asyncio.create_task(worker.run()))

    async def forget(self, channel_id: str) -> None:
        running = self.running.pop(channel_id)
        task = running.task
        error = None if task.cancelled() else task.exception()
        if isinstance(error, LostLease):
            log.info("lease_lost", channel=channel_id)
        elif error is not None:
            log.error("worker_failed", channel=channel_id, error=type(error).__name__, at=whereabouts(error))
        else:
            await self.leases.release(channel_id, self.owner, running.worker.reach.sent())

    async def stop(self) -> None:
        """End all workers and hand over their channels."""
        for running in self.running.values():
            running.worker.stopping = True
        self.post.tail.wake()
        tasks = [running.task for running in self.running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=GRACE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for channel_id in list(self.running):
            reach = self.running.pop(channel_id).worker.reach.sent()
            try:
                await self.leases.release(channel_id, self.owner, reach)
            except Exception as error:  # noqa: BLE001 - the lease runs out by itself; an error here would undo the stop
                log.warning("lease_not_released", channel=channel_id, error=type(error).__name__)
