"""Work that nobody waits for gives way: it takes its share of a core while the machine has CPU time left, and hardly any while it
has none. Counted is the whole machine (in a container, its host), so that it gives way to neighbours as well.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

PLENTY, SCARCE = 0.5, 0.2
"""Of the machine's CPU time, what must have been idle for a whole share, and below what hardly any is given; linear in between."""
LEAST = 0.1
"""Of its share, what work gets however busy the machine is: it has to end some day."""
SMALL = 0.01
"""Of a core: what takes no more than this is in nobody's way."""
SPAN_SECONDS = 5.0
"""The CPU time of so long counts at least, and mostly of at most twice as long: shorter, every burst would be an answer."""
LOOK_SECONDS = 2.0
"""So often whoever rests looks again, so that a machine that becomes idle is used soon."""
TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """CPU time of all processors since some moment, in seconds; `at`: when that was read."""

    at: float
    total: float
    idle: float


def of_machine() -> Usage | None:
    """None where the system does not tell it as Linux does (proc(5), /proc/stat)."""
    try:
        with Path("/proc/stat").open("rb") as stat:
            # user, nice, system, idle, iowait, irq, softirq, steal; what follows, for guests, is part of user and nice.
            ticks = [int(number) for number in stat.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    return Usage(time.monotonic(), sum(ticks) / TICKS, sum(ticks[3:5]) / TICKS) if len(ticks) > 4 else None


def unknown() -> Usage | None:
    """Of a machine that is only ours."""
    return None


class Idle:
    """How much CPU time is left of late, as one piece of work after the other asks.

    What the work itself took counts as left, or it would give way to itself: on a machine of one processor that it has to itself,
    a work that may take all of it would get all and hardly anything in turns. It is the CPU time of this process while a piece
    is under way. What else the process does meanwhile is so taken for the work's as well; under pressure, when it matters, pieces
    are under way a small part of the time. What the work makes a database do is a neighbour's.
    """

    def __init__(
        self,
        read: Callable[[], Usage | None] = of_machine,
        cpu: Callable[[], float] = time.process_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._cpu = cpu
        self._sleep = sleep
        self._own = 0.0
        """Seconds that pieces took so far."""
        self._before = self._since = self._usage()

    def share(self, whole: float) -> float:
        """What a work whose share of a core is `whole` may take at present."""
        least = max(whole * LEAST, min(whole, SMALL))
        room = (self.of_late() - SCARCE) / (PLENTY - SCARCE)
        return least + (whole - least) * min(max(room, 0.0), 1.0)

    def of_late(self) -> float:
        """The part of the machine's CPU time that nobody else took; all of it where that is not known."""
        now = self._usage()
        if now is None or self._before is None or self._since is None:
            return 1.0
        if now.at - self._since.at >= SPAN_SECONDS:
            self._before, self._since = self._since, now
        total = now.total - self._before.total
        return (now.idle - self._before.idle) / total if total > 0 else 1.0

    @asynccontextmanager
    async def piece(self, whole: float) -> AsyncIterator[None]:
        """A piece of work, and the rest after it that its share asks for."""
        began, cpu = time.monotonic(), self._cpu()
        try:
            yield
        finally:
            self._own += self._cpu() - cpu
        await self.rest(time.monotonic() - began, whole)

    async def rest(self, worked: float, whole: float) -> None:
        """As long as so many seconds of work ask for."""
        rested = 0.0
        while (left := worked * (1 / self.share(whole) - 1) - rested) > 0:
            nap = min(left, LOOK_SECONDS)
            await self._sleep(nap)
            rested += nap

    def _usage(self) -> Usage | None:
        """With our own time as idle."""
        usage = self._read()
        return usage and usage._replace(idle=usage.idle + self._own)
