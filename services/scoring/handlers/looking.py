"""Looks through the whole base: each by one instance at a time, when it is due or when somebody asks.

What a look does is its own handler's (`choosing`, `contesting`, `channels`, `pacing`, `profits`, `reviewing`, `churning`,
`persuading`, `ending`, and in each instance for itself `studying` and `contracting`); here is who does it, and what has
become of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog

from services.scoring.handlers.runs import Run, Runs, State
from shared import logging
from shared.ids import uuid7
from shared.leases import LEASE_SECONDS, leased

log = structlog.get_logger()
Begun = Callable[[Run], None]


class NotReady(Exception):
    """There is nothing to look at yet. `why`, as a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def always() -> bool:
    return True


@dataclass(frozen=True)
class LookAt:
    """`look` returns None where there is nothing to look at; `ready` knows that beforehand, and `wanting` says what is missing.

    `runs`: where its runs are kept, for the platform or for this instance.
    """

    name: str
    look: Callable[[], Awaitable[object]]
    runs: Runs
    due: Callable[[], Awaitable[bool]] = always
    ready: Callable[[], Awaitable[bool]] = always
    wanting: str = ""


@dataclass
class Looking:
    looks: Collection[LookAt]
    instance: str
    lease_seconds: float = LEASE_SECONDS
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def begin(self, name: str) -> Run:
        """Start it now, to go on after this returns. Raises UnderWay and NotReady."""
        look = self._called(name)
        if not await look.ready():
            raise NotReady(look.wanting)
        begun: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._run(look, begun.set_result), name=f"look {name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        first: list[asyncio.Future[Any]] = [begun, task]
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            await task  # which raises why
        return begun.result()

    async def look_if_due(self, name: str) -> None:
        """Raises UnderWay, and what the look raises."""
        look = self._called(name)
        if await look.due():
            # Asked once more with the lease: another instance may have looked in between.
            await self._run(look, lambda _: None, look.due)

    async def last(self, name: str) -> Run | None:
        """The last run, or the one under way."""
        runs = self._called(name).runs
        run = await runs.last(name)
        if run is None:
            return None
        if await runs.lease(name).holder() == run.id:
            # Also where all is done but the lease is not given back yet: another could not begin.
            return run._replace(state="running", ended_at=None, error=None)
        # The lease is given back after the end was noted: of a run that has ended meanwhile that is known now.
        after = await runs.last(name)
        return run._replace(state="abandoned") if after == run and run.state == "running" else after

    async def stop(self) -> None:
        """Those that somebody has asked for; what is periodic stops with its job."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _called(self, name: str) -> LookAt:
        return next(look for look in self.looks if look.name == name)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """What a look has failed with stands in its run and in the log."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()

    async def _run(self, look: LookAt, begun: Begun, due: Callable[[], Awaitable[bool]] = always) -> None:
        run = Run(look.name, uuid7(datetime.now(UTC)), self.instance, datetime.now(UTC))
        what = f"The look `{look.name}`"
        async with leased(look.runs.lease(look.name), run.id, what, self.lease_seconds):
            if not await due():
                return
            await look.runs.begin(run)
            begun(run)
            try:
                found = await look.look()
            except asyncio.CancelledError:
                log.warning("look_stopped", look=look.name)
                await look.runs.end(_ended(run, "stopped"))
                raise
            except Exception as error:
                log.error("look_failed", look=look.name, error=type(error).__name__, at=logging.whereabouts(error))
                await look.runs.end(_ended(run, "failed", type(error).__name__))
                raise
            await look.runs.end(_ended(run, "nothing" if found is None else "done"))


def _ended(run: Run, state: State, error: str | None = None) -> Run:
    return run._replace(state=state, ended_at=datetime.now(UTC), error=error)
