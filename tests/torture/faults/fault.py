"""What every fault is: one strike, drawn from a seed, that begins and ends. The kinds are in their own files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Sequence
from contextlib import AsyncExitStack
from typing import Protocol, runtime_checkable

from tests.torture.faults.stage import Stage


@runtime_checkable
class Fault(Protocol):
    """One strike. Between `strike` and `heal` the caller waits `seconds`, as they were drawn; or less, or more."""

    @property
    def kind(self) -> str:
        """`service killed`, `kafka killed`, `link cut` ...: what the report counts by."""

    @property
    def target(self) -> str:
        """What is struck: `scoring-2`, `mongo`, `sync-1>kafka` ..."""

    @property
    def seconds(self) -> float:
        """How long it is to last; zero where it is over as soon as it has begun."""

    @property
    def hurt(self) -> Sequence[str]:
        """What cannot work meanwhile: services, and channels as `channel:<id>`."""

    @property
    def over(self) -> float:
        """When it ended, or killed; on the monotonic clock. From then on recovery is measured."""

    async def strike(self) -> None:
        """Begin. Returns when the fault is in force; waits while another one has hold of the same thing."""

    async def heal(self) -> None:
        """End. Safe to call twice, and without `strike`. Returns when nothing of the fault is left but its consequences."""


class Stroke:
    """The part that all kinds share: order of events, and hold of what is struck so that two do not undo each other."""

    def __init__(
        self, stage: Stage, kind: str, target: str, seconds: float, hurt: Sequence[str], holds: Sequence[str] = ()
    ) -> None:
        self.stage = stage
        self.kind = kind
        self.target = target
        self.seconds = seconds
        self.hurt = tuple(hurt)
        self.over = 0.0
        self._holds = sorted(holds)
        self._held: AsyncExitStack | None = None
        self._healing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"{self.kind}: {self.target} for {self.seconds:.1f} s"

    async def strike(self) -> None:
        async with AsyncExitStack() as stack:
            for thing in self._holds:
                await stack.enter_async_context(self.stage.hold(thing))
            self._held = stack.pop_all()
        await self.begin()
        self.over = time.monotonic()

    async def heal(self) -> None:
        async with self._healing:
            if self._held is None:
                return
            try:
                if self.seconds:
                    await self.end()
                    self.over = time.monotonic()
            finally:
                held, self._held = self._held, None
                await held.aclose()

    def begin(self) -> Awaitable[None]:
        raise NotImplementedError

    def end(self) -> Awaitable[None]:
        raise NotImplementedError
