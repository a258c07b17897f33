"""Work that nobody waits for gives way: it takes its share of a core while there is CPU time left, and hardly any while there is
none. Counted is the whole machine (in a container, its host), so that it gives way to neighbours as well, and each group of processes
that is bound to a part of it (a container with a CPU limit is one); what has the least left decides.
"""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

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
STAT, GROUP, GROUPS = Path("/proc/stat"), Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


class Usage(NamedTuple):
    """CPU time since some moment, in seconds: what there was, and what of it nobody took; `at`: when that was read."""

    at: float
    total: float
    idle: float


Whose: TypeAlias = tuple[str, float]
"""What it is of, and how many processors that may take; one whose limit was changed is another."""
MACHINE: Whose = ("machine", math.inf)


def of_all() -> Mapping[Whose, Usage]:
    """Of the machine, and of what this process is bound by."""
    return {**of_machine(), **of_groups()}


def of_machine(stat: Path = STAT) -> Mapping[Whose, Usage]:
    """Nothing where the system does not tell it as Linux does (proc(5), /proc/stat)."""
    try:
        with stat.open("rb") as lines:
            # user, nice, system, idle, iowait, irq, softirq, steal; what follows, for guests, is part of user and nice.
            ticks = [int(number) for number in lines.readline().split()[1:9]]
    except (OSError, ValueError):
        return {}
    return {MACHINE: Usage(time.monotonic(), sum(ticks) / TICKS, sum(ticks[3:5]) / TICKS)} if len(ticks) > 4 else {}


def of_groups(group: Path = GROUP, groups: Path = GROUPS) -> Mapping[Whose, Usage]:
    """Of our control group and those around it that have a CPU limit (cgroups(7), version 2: Kubernetes refuses
    the first by default since 1.35, KEP-5573).

    A group may take `processors` x the time that passes; what it did not take is idle, though nobody can save it up.
    """
    usages = {}
    for directory in _around(group, groups):
        with suppress(OSError, ValueError, KeyError):
            quota, period = (directory / "cpu.max").read_text().split()
            if quota != "max":
                stat = dict(line.split() for line in (directory / "cpu.stat").read_text().splitlines())
                processors = int(quota) / int(period)
                now, used = time.monotonic(), int(stat["usage_usec"]) / 1e6
                usages[str(directory), processors] = Usage(now, now * processors, now * processors - used)
    return usages


def _around(group: Path, groups: Path) -> Iterator[Path]:
    """From the outermost group that can be seen from here to ours; in a container, mostly only its own."""
    yield groups
    try:
        own = next(line.split("::", 1)[1] for line in group.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    directory = groups
    for part in Path(own.strip()).parts[1:]:
        directory /= part
        yield directory


def unknown() -> Mapping[Whose, Usage]:
    """Of a machine that is only ours."""
    return {}


class Idle:
    """How much CPU time is left of late, as one piece of work after the other asks.

    What the work itself took counts as left, or it would give way to itself: on a machine of one processor that it has to itself,
    a work that may take all of it would get all and hardly anything in turns. It is the CPU time of this process while a piece
    is under way. What else the process does meanwhile is so taken for the work's as well; under pressure, when it matters, pieces
    are under way a small part of the time. What the work makes a database do is a neighbour's.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[Whose, Usage]] = of_all,
        cpu: Callable[[], float] = time.process_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._cpu = cpu
        self._sleep = sleep
        self._own = 0.0
        """Seconds that pieces took so far."""
        self._before: dict[Whose, tuple[Usage, Usage]] = {}
        """A reading that is older than the span, where there is one, and the first of the span that runs."""
        self.of_late()

    def share(self, whole: float) -> float:
        """What a work whose share of a core is `whole` may take at present."""
        least = max(whole * LEAST, min(whole, SMALL))
        room = (self.of_late() - SCARCE) / (PLENTY - SCARCE)
        return least + (whole - least) * min(max(room, 0.0), 1.0)

    def of_late(self) -> float:
        """The part of the CPU time that nobody else took, of what has the least left; all of it where that is not known."""
        lefts, self._before, before = [], {}, self._before
        for whose, usage in self._read().items():
            now = usage._replace(idle=usage.idle + self._own)
            older, since = before.get(whose, (now, now))
            if now.at - since.at >= SPAN_SECONDS:
                older, since = since, now
            self._before[whose] = older, since
            lefts.append(left(older, now))
        return min(lefts, default=1.0)

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


def left(before: Usage, now: Usage) -> float:
    """The idle part of the time between the two; all of it where clocks stood still or went back."""
    total = now.total - before.total
    return (now.idle - before.idle) / total if total > 0 else 1.0
