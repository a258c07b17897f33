"""What delivering to webhooks needs of the outside, and what comes back from it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from services.sync.domain.delivery import SCHEDULE
from services.sync.domain.sensitive import Sensitive
from services.sync.handlers.channels import Channels
from services.sync.handlers.deliveries import ChangeStore, DeliveryStore
from services.sync.handlers.tail import Tail
from shared.messaging import Unit


class Answer(NamedTuple):
    """What a receiver has said; without a status it has said nothing."""

    status: int | None
    retry_after: str | None = None
    error: str | None = None

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        return self.status == 410

    @property
    def busy(self) -> bool:
        return self.status == 429 or (self.status == 503 and self.retry_after is not None)

    def said(self) -> str:
        return self.error or f"answered {self.status}"


class Courier(Protocol):
    async def send(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Answer:
        """Sign and post, once. Never raises: what goes wrong is part of the answer."""


@dataclass(frozen=True)
class Pace:
    """How webhooks are delivered. Times are seconds."""

    batch: int = 500
    concurrency: int = 16
    timeout: float = 15.0
    schedule: Sequence[float] = SCHEDULE
    first_pause: float = 1.0
    longest_pause: float = 60.0
    idle: float = 1.0
    """How often a channel is looked up for retries that are due and for replays."""
    breath: float = 0.02
    """From the beginning of a batch that was not full to that of the next: many tiny batches would cost a lot."""
    settle: float = 1.0
    """How long what a receiver has taken may wait to be put down, together with what it takes meanwhile. A crash sends so much again."""
    ahead: int = 1000
    """Positions of a partition by which it is on record ahead that they may be sent: more than come between two settlements."""


@dataclass
class Lease:
    """The right to deliver to a channel, until a moment of this instance's monotonic clock."""

    owner: str
    valid_until: float


@dataclass(frozen=True)
class Post:
    """All that delivering to webhooks needs of the outside."""

    channels: Channels
    changes: ChangeStore
    deliveries: DeliveryStore
    courier: Courier
    tail: Tail
    transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]]
    now: Callable[[], datetime]
    pace: Pace = field(default_factory=Pace)
    sensitive: Sensitive = field(default_factory=Sensitive)
