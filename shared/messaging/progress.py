"""Whether a consumer gets on: what liveness and readiness are decided by.

Stuck means: a batch is in hand, or records wait and the broker answers, and nothing has moved for too long. A broker
or a database that is away is no reason to restart us, because we try again by ourselves.
"""

from dataclasses import dataclass


@dataclass
class Progress:
    """Times are of a monotonic clock, in seconds."""

    stuck_after: float
    moved_at: float
    in_hand: bool = False
    failing: bool = False
    halted: bool = False

    def began(self, now: float) -> None:
        self.in_hand = True
        self.moved_at = now

    def ended(self, now: float, *, failed: bool) -> None:
        """A failed attempt is still an attempt: the consumer is alive and tries again."""
        self.in_hand = False
        self.failing = failed
        self.moved_at = now

    def idle(self, now: float) -> None:
        """Nothing waits."""
        if not self.in_hand:
            self.moved_at = now

    def overdue(self, now: float) -> bool:
        return now - self.moved_at > self.stuck_after
