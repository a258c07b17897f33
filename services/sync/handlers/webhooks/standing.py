"""Where a receiver stands by what it has answered: whether, when and how fast it may be sent anything."""

import asyncio
import time
from datetime import datetime, timedelta

from services.sync.domain import delivery
from services.sync.domain.delivery import Breaker, TokenBucket, Way
from services.sync.domain.outgoing import Trouble
from services.sync.handlers.webhooks.needs import Answer, Pace


class Standing:
    """One channel's breaker and rate, and what is wrong with its receiver. Times are of this process's monotonic clock."""

    def __init__(self, pace: Pace) -> None:
        self.pace = pace
        self.breaker = Breaker(pace.first_pause, pace.longest_pause)
        self.bucket: TokenBucket | None = None
        self.busy_until = 0.0
        self.gone = False
        self.last_error = ""
        self.trouble: Trouble | None = None

    def way(self) -> Way:
        return self.breaker.way(time.monotonic())

    def blocked_for(self) -> float:
        """Seconds until the receiver may be asked again."""
        now = time.monotonic()
        breaker = (self.breaker.resume_at or now) - now
        return max(breaker, self.busy_until - now, 0.0)

    def closed(self) -> bool:
        """Whether it may be sent nothing at this moment."""
        return self.gone or time.monotonic() < self.busy_until or self.way() is Way.BLOCKED

    def judge(self, answer: Answer) -> bool:
        """Draw the conclusions for the channel; say whether the answer counts for the customer."""
        now = time.monotonic()
        if answer.taken:
            self.breaker.succeeded(now)
            return True
        self.last_error = answer.said()
        if answer.gone:
            self.gone = True
        elif answer.busy:
            pause = delivery.retry_after(answer.retry_after, self.pace.first_pause)
            self.busy_until = max(self.busy_until, now + pause)
        else:
            self.breaker.failed(now)
            return True
        return False

    async def wait_for_a_turn(self, rate: float) -> None:
        """`rate`: deliveries a second."""
        if self.bucket is None or self.bucket.rate != rate:
            self.bucket = TokenBucket(rate)
        await asyncio.sleep(self.bucket.take(time.monotonic()))

    def present_trouble(self, now: datetime) -> Trouble | None:
        """What is wrong as of now, since when, and when it is tried again."""
        wait = self.blocked_for()
        if wait <= 0 and self.way() is Way.OPEN:
            self.trouble = None
        else:
            since = self.trouble.since if self.trouble else now
            self.trouble = Trouble(self.last_error, since, now + timedelta(seconds=wait))
        return self.trouble
