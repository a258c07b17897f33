"""How a receiver behaves: well, or badly in one of the ways that receivers are known for."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Manner(StrEnum):
    """What happens to a request that is struck."""

    WELL = "well"
    ERROR = "error"
    """500, and nothing is kept."""
    BUSY = "busy"
    """503 with Retry-After, and nothing is kept."""
    LOST = "lost"
    """It is kept, but the connection breaks before the answer."""
    SLOW = "slow"
    """It is kept and acknowledged, a good while later."""


SLOW_SECONDS = 1.5
RETRY_AFTER = 1
BAD = (Manner.ERROR, Manner.BUSY, Manner.LOST, Manner.SLOW)


@dataclass
class Behaviour:
    """The present manner of one channel, and which share of its requests it strikes."""

    chance: random.Random
    manner: Manner = Manner.WELL
    share: float = 1.0

    def next(self) -> Manner:
        if self.manner is Manner.WELL or self.chance.random() >= self.share:
            return Manner.WELL
        return self.manner
