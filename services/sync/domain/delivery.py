"""When to send, when to wait and when to give up, as state machines that are told the time. Sending is not here."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

SCHEDULE = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Seconds from one attempt to the next, as Standard Webhooks 1.0 recommends; after the last one it has failed."""
JITTER = 0.1
LONGEST_RETRY_AFTER = 3600.0


def pause_before(attempt: int, schedule: Sequence[float], chance: float) -> timedelta | None:
    """How long to wait after failed attempt number `attempt` (from 1); None: give up. `chance` is in [0, 1)."""
    if attempt > len(schedule):
        return None
    return timedelta(seconds=schedule[attempt - 1] * (1 + JITTER * chance))


def retry_after(header: str | None, default: float) -> float:
    """Seconds that a receiver asks us to stay away; a date or nonsense counts as `default`."""
    asked = float(header) if header and header.isascii() and header.isdigit() and len(header) < 10 else default
    return min(max(asked, default), LONGEST_RETRY_AFTER)


class Way(Enum):
    """How much may be sent."""

    OPEN = "open"
    PROBE = "probe"
    """One, to see whether the receiver is back."""
    BLOCKED = "blocked"


@dataclass
class Breaker:
    """Stops sending to a receiver that fails most of the time, and asks ever more rarely whether it is back.

    Times are seconds of any clock that never goes back.
    """

    first_pause: float = 1.0
    longest_pause: float = 60.0
    window: int = 20
    enough: int = 5
    """Fewer outcomes than this say nothing."""
    pauses: int = 0
    resume_at: float | None = None
    outcomes: deque[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.outcomes = deque(maxlen=self.window)

    def way(self, now: float) -> Way:
        if self.resume_at is None:
            return Way.OPEN
        return Way.PROBE if now >= self.resume_at else Way.BLOCKED

    def succeeded(self, now: float) -> None:
        if self.resume_at is not None:
            if now < self.resume_at:
                return  # it was under way when the breaker opened, and says as little as a late failure
            self.outcomes.clear()
            self.resume_at, self.pauses = None, 0
        self.outcomes.append(True)

    def failed(self, now: float) -> None:
        if self.resume_at is not None:
            if now >= self.resume_at:
                self.open(now)
            return
        self.outcomes.append(False)
        if len(self.outcomes) >= self.enough and self.outcomes.count(False) * 2 > len(self.outcomes):
            self.open(now)

    def open(self, now: float) -> None:
        self.resume_at = now + min(self.first_pause * 2**self.pauses, self.longest_pause)
        self.pauses = min(self.pauses + 1, 30)


@dataclass
class TokenBucket:
    """Lets `rate` deliveries a second through; whoever takes a token learns how long to wait before using it."""

    rate: float
    tokens: float = 1.0
    last: float | None = None

    @property
    def burst(self) -> float:
        return max(1.0, self.rate / 10)

    def take(self, now: float) -> float:
        """Seconds to wait. Tokens may be taken ahead of time, so that many senders queue up in order."""
        elapsed = now - self.last if self.last is not None else 0.0
        self.tokens = min(self.burst, self.tokens + elapsed * self.rate) - 1.0
        self.last = now
        return max(0.0, -self.tokens / self.rate)
