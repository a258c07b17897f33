"""Plays a plan: all systems side by side, each in its order, as fast as they are taken or at a steady rate."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from demo.emitters.event import SALE
from demo.emitters.plan import Step

WINDOW = 1000
"""Events that the systems may be apart from each other."""
TICK = 0.02

Numbered = tuple[int, Step]


class Sender(Protocol):
    """A road into the platform; returns when all is acknowledged or refused."""

    async def send(self, steps: Sequence[Numbered]) -> None: ...


@dataclass(frozen=True, slots=True)
class Sending:
    """A sale on its way: the customer's n-th order left its system at this wall time."""

    household: int
    orders: int
    ordered_at: datetime
    left_at: float


class Player:
    """Sends steps and remembers when each sale of the steady part left its system."""

    def __init__(self, http: Mapping[str, Sender], kafka: Sender) -> None:
        self._senders: dict[str, Sender] = {**http, "kafka": kafka}
        self._number = 0
        self._orders: Counter[int] = Counter()
        self.sendings: list[Sending] = []

    async def play(self, steps: Sequence[Step], progress: Callable[[int], None]) -> float:
        """As fast as the systems' messages are taken. Returns the seconds it took."""
        began = time.perf_counter()
        for start in range(0, len(steps), WINDOW):
            window = steps[start : start + WINDOW]
            await self._send(window)
            progress(len(window))
        return time.perf_counter() - began

    async def play_steadily(self, steps: Sequence[Step], rate: float, progress: Callable[[int], None]) -> float:
        """So many events a second, each sale's departure noted. Returns the seconds it took."""
        began, done = time.perf_counter(), 0
        while done < len(steps):
            due = min(len(steps), 1 + int((time.perf_counter() - began) * rate))
            if due > done:
                await self._send(steps[done:due], note=True)
                progress(due - done)
                done = due
            else:
                await asyncio.sleep(TICK)
        return time.perf_counter() - began

    async def _send(self, steps: Sequence[Step], *, note: bool = False) -> None:
        left_at = time.time()
        by_road: dict[str, list[Numbered]] = {}
        for step in steps:
            self._number += 1
            road = step.event.system.name if step.transport == "http" else "kafka"
            by_road.setdefault(road, []).append((self._number, step))
            self._count(step, left_at if note else None)
        await asyncio.gather(*(self._senders[road].send(numbered) for road, numbered in by_road.items()))

    def _count(self, step: Step, left_at: float | None) -> None:
        event = step.event
        if event.type != SALE or step.fault or step.again:
            return
        self._orders[event.household] += 1
        if left_at is not None:
            self.sendings.append(Sending(event.household, self._orders[event.household], event.at, left_at))
