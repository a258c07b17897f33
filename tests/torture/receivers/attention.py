"""Whether this process kept up: how long its event loop was busy with something else."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

EVERY = 0.1
TOLERATED = 0.5


@dataclass
class Attention:
    """Looks at the clock ten times a second; whoever is asked a second later than meant was not there."""

    worst: float = 0.0
    absent: float = 0.0
    """Seconds in all by which looks came later than is tolerated."""
    began: float = 0.0

    async def watch(self) -> None:
        self.began = time.monotonic()
        while True:
            before = time.monotonic()
            await asyncio.sleep(EVERY)
            late = time.monotonic() - before - EVERY
            self.worst = max(self.worst, late)
            if late > TOLERATED:
                self.absent += late

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began if self.began else 0.0
