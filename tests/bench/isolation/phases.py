"""One phase: a steady stream of events while some receivers are ill, and how long each took to reach the healthy one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from tests.bench.growth.people import SHOP, Event, Road, interaction
from tests.bench.growth.platform import Platform, Seconds, between
from tests.bench.growth.receiver import Arrivals
from tests.bench.isolation.receivers import ill
from tests.load.pacing import Lateness, Pacer, Schedule

HEALTHY = "well"
LATEST = 60.0
"""Seconds after which an event that has not arrived is missing."""


@dataclass
class Phase:
    """What was seen of one phase."""

    beside: str
    latencies: list[float]
    spent: Seconds
    void: str
    ill: list[dict[str, Any]]
    """Each ill channel as the platform saw it at the end."""


@dataclass
class Stream:
    """The events of all phases: each with a mark of its own, the customers one after the other."""

    platform: Platform
    road: Road
    arrivals: Arrivals
    customers: int
    rate: float
    marks: Iterator[int] = field(default_factory=count)
    names: Iterator[int] = field(default_factory=count)

    async def phase(self, beside: str, kinds: Sequence[str], seconds: float) -> Phase:
        """From the moment on at which the ill ones are registered: the beginning of their illness counts too."""
        async with ill(kinds) as addresses:
            channels = [f"ill-{next(self.names)}" for _ in kinds]
            for channel, address in zip(channels, addresses, strict=True):
                await self.platform.register(channel, address)
            before = self.platform.spent()
            latencies, void = await self.flow(seconds)
            spent = between(before, self.platform.spent())
            seen = [await self.seen(channel, kind) for channel, kind in zip(channels, kinds, strict=True)]
            for channel in channels:
                await self.platform.delete(f"/v1/channels/{channel}")
        spared = [one["kind"] for one in seen if not one["backlog"]]
        return Phase(beside, latencies, spent, void or (f"nothing was owed to {spared}" if spared else ""), seen)

    async def flow(self, seconds: float) -> tuple[list[float], str]:
        """Latencies from the intended moments, and why they may not count."""
        marks = [next(self.marks) for _ in range(int(seconds * self.rate))]
        first = marks[0]
        sending: list[asyncio.Task[Any]] = []
        schedule, lateness = Schedule(time.monotonic() + 0.1, self.rate), Lateness()

        def hand(batch: list[int]) -> None:
            sending.append(asyncio.create_task(self.send(batch)))

        await Pacer(schedule, hand, lateness).run(marks)
        await asyncio.gather(*sending)
        missing = await self.arrivals.all_of(marks, LATEST)
        if missing:
            return [], f"{len(missing)} of {len(marks)} events did not reach the healthy channel within {LATEST:.0f} s"
        return [self.arrivals.at[mark] - schedule.at(mark - first) for mark in marks], lateness.void

    async def send(self, marks: Sequence[int]) -> None:
        for mark in marks:
            await self.road.start(self.event(mark))

    def event(self, mark: int) -> Event:
        return interaction(mark % self.customers, f"m{mark}", datetime.now(UTC), SHOP, summary=f"mark-{mark}")

    async def seen(self, channel: str, kind: str) -> dict[str, Any]:
        status = await self.platform.get(f"/v1/channels/{channel}")
        return {"kind": kind} | {name: status[name] for name in ("backlog", "retrying", "failed", "trouble")}
