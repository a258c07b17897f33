"""When each message is due, and whether we ourselves were in time. Who takes the messages is not known here.

The schedule never waits for anybody (an open loop): latency counted from a message's due time includes the time that it
waited behind others, which a generator that sends the next one after the last one's answer would leave out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

Item = TypeVar("Item")
TICK = 0.005
"""Messages due within so many seconds leave together, the first of them that much late: Kafka's own clients linger alike."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A fixed rate from a moment on, in the machine's monotonic time, which all processes share."""

    began: float
    rate: float

    def at(self, place: int) -> float:
        """When the message with this place (from 0) is due."""
        return self.began + place / self.rate

    def due(self, now: float) -> int:
        """How many messages are due by now."""
        return max(0, int((now - self.began) * self.rate) + 1) if now >= self.began else 0


@dataclass(slots=True)
class Lateness:
    """How well the generator kept its own schedule. A run for which it did not is void."""

    tolerated: float = 0.05
    """Seconds that a message may leave late."""
    share: float = 0.01
    """Of all messages that may leave later still; and of the whole time that the end may come late."""
    left: int = 0
    late: int = 0
    worst: float = 0.0
    overtime: float = 0.0
    planned: float = 0.0
    """Seconds that the schedule was to take."""

    def note(self, schedule: Schedule, count: int, now: float) -> None:
        """The next `count` messages leave now."""
        self.worst = max(self.worst, now - schedule.at(self.left))
        too_late = min(count, schedule.due(now - self.tolerated) - self.left)
        self.late += max(0, too_late)
        self.left += count
        self.planned = schedule.at(self.left) - schedule.began
        self.overtime = max(0.0, now - schedule.at(self.left))

    @property
    def void(self) -> str:
        """Why the run may not be published; empty where it may."""
        if self.late > self.share * self.left:
            return (
                f"{self.late:,} of {self.left:,} messages left more than {self.tolerated * 1000:.0f} ms late, "
                f"the latest {self.worst * 1000:.0f} ms"
            )
        if self.overtime > max(self.tolerated, self.share * self.planned):
            return f"the generator ended {self.overtime:.2f} s behind a schedule of {self.planned:.1f} s"
        return ""


class Pacer(Generic[Item]):
    """Hands over items when they are due. `hand` must not block: whatever waits, waits behind it, on the clock."""

    def __init__(self, schedule: Schedule, hand: Callable[[list[Item]], None], lateness: Lateness) -> None:
        self._schedule, self._hand, self.lateness = schedule, hand, lateness
        self.stopped = asyncio.Event()

    async def run(self, items: Iterable[Item]) -> int:
        """Until the items end, or until `stopped` is set. Returns how many have left."""
        waiting: Iterator[Item] = iter(items)
        while not self.stopped.is_set():
            now = time.monotonic()
            due = self._schedule.due(now) - self.lateness.left
            if due > 0:
                batch = list(islice(waiting, due))
                if not batch:
                    break
                self.lateness.note(self._schedule, len(batch), time.monotonic())
                self._hand(batch)
            await asyncio.sleep(max(TICK, self._schedule.at(self.lateness.left) - time.monotonic()))
        return self.lateness.left
