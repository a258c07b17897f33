"""Delivers changed views to one webhook, in order per customer, as fast as it takes them and no faster."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from services.sync.domain import delivery
from services.sync.domain.channel import Channel
from services.sync.domain.delivery import Breaker, TokenBucket, Way
from services.sync.domain.outgoing import Receipt, Retry, Trouble, body, message_id
from services.sync.domain.policy import Policy
from services.sync.domain.positions import resolved
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.webhooks.needs import Answer, Lease, Post
from services.sync.handlers.webhooks.upcoming import Batch, Item, Upcoming
from shared import metrics
from shared.logging import whereabouts

log = structlog.get_logger(__name__)

PROBES = 20
"""A probe is drawn from so many, so that one customer that always fails does not keep a healthy channel closed."""


class Worker:
    """One channel's deliveries on this instance: its breaker, its rate, its place in the order of changes.

    While a batch is being settled the next one is already on its way; it begins where the one before has ended, and is
    settled after it.
    """

    def __init__(self, channel_id: str, lease: Lease, post: Post) -> None:
        self.channel_id = channel_id
        self.lease = lease
        self.post = post
        self.pace = post.pace
        self.breaker = Breaker(self.pace.first_pause, self.pace.longest_pause)
        self.bucket: TokenBucket | None = None
        self.busy_until = 0.0
        self.gone = False
        self.stopping = False
        self.last_error = ""
        self.trouble: Trouble | None = None
        self.settling: asyncio.Task[None] | None = None
        self.upcoming = Upcoming(post, channel_id)

    async def run(self) -> None:
        """Deliver as long as the channel is active and the lease holds. Raises LostLease."""
        try:
            while not self.stopping and not self.gone and (channel := self.active()):
                if (wait := self.blocked_for()) > 0 or not self.lease_holds():
                    await self.settled()
                    await asyncio.sleep(min(max(wait, 0.05), self.pace.idle))
                else:
                    await self.go_on(channel)
            await self.settled()
        finally:
            # After an error or a cancellation: what it does not store goes out again.
            if self.settling is not None:
                self.settling.cancel()
                await asyncio.gather(self.settling, return_exceptions=True)

    async def go_on(self, channel: Channel) -> None:
        """Deliver the next batch, or wait for one."""
        limit = self.pace.batch if self.way() is Way.OPEN else PROBES
        began = time.monotonic()
        batch = await self.upcoming.batch(channel, limit)
        if batch.items or batch.pointless or batch.emptied:
            await self.deliver(channel, batch)
            if len(batch.items) < limit:
                await asyncio.sleep(self.pace.breath - (time.monotonic() - began))
        else:
            await self.settled()
            await self.post.tail.beyond(self.upcoming.cursor, self.pace.idle)

    def active(self) -> Channel | None:
        return self.post.channels.active(self.channel_id, "webhook")

    def blocked_for(self) -> float:
        """Seconds until the receiver may be asked again."""
        now = time.monotonic()
        breaker = (self.breaker.resume_at or now) - now
        return max(breaker, self.busy_until - now, 0.0)

    def lease_holds(self) -> bool:
        """Whether a delivery begun now ends before anybody else may deliver to the channel."""
        return time.monotonic() + self.pace.timeout < self.lease.valid_until

    def way(self) -> Way:
        return self.breaker.way(time.monotonic())

    # Sending

    async def deliver(self, channel: Channel, batch: Batch) -> None:
        """Send what is needed, and have what came of it stored together with the cursor."""
        wanted = [item for item in batch.items if item.needed]
        if self.way() is Way.PROBE and wanted:
            wanted = [random.choice(wanted)]  # noqa: S311 - nothing secret
        answers = await self.send_all(channel, wanted, batch.generation)
        await self.settled()
        settlement = self.outcome(channel, batch, answers)
        self.settling = asyncio.create_task(self.settle(settlement, answers))

    async def send_all(self, channel: Channel, items: list[Item], generation: int) -> dict[str, Answer]:
        """Answers by customer. Whoever has none was not sent anything that counts."""
        answers: dict[str, Answer] = {}
        queue = iter(items)
        policy, secrets = channel.policy, channel.secrets_at(self.post.now())

        async def sender() -> None:
            for item in queue:
                if channel.rate:
                    await self.wait_for_a_turn(channel.rate)
                if not self.may_send(channel):
                    return
                answer = await self.send(channel, policy, secrets, item, generation)
                if self.judge(answer):
                    answers[item.changed.customer_id] = answer

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.pace.concurrency, len(items))):
                group.create_task(sender())
        return answers

    async def wait_for_a_turn(self, rate: float) -> None:
        if self.bucket is None or self.bucket.rate != rate:
            self.bucket = TokenBucket(rate)
        await asyncio.sleep(self.bucket.take(time.monotonic()))

    def may_send(self, channel: Channel) -> bool:
        """Whether the channel may still be sent anything, and is as it was when the batch began."""
        stopped = self.gone or self.stopping or time.monotonic() < self.busy_until or self.way() is Way.BLOCKED
        return not stopped and self.lease_holds() and self.active() is channel

    async def send(
        self, channel: Channel, policy: Policy, secrets: Sequence[str], item: Item, generation: int
    ) -> Answer:
        assert channel.url is not None, "a webhook has a url"
        identity = message_id(self.channel_id, policy, item.changed, item.receipt, generation)
        try:
            content = body(self.channel_id, policy, item.changed, self.post.now(), self.post.sensitive)
        except Exception as error:  # noqa: BLE001 - one view that is not as it should be must not stop all the others
            log.error(
                "delivery_not_prepared",
                channel=self.channel_id,
                customer=item.changed.customer_id,
                error=type(error).__name__,
                at=whereabouts(error),
            )
            return Answer(None, error=f"could not be prepared: {type(error).__name__}")
        return await self.post.courier.send(channel.url, secrets, identity, content)

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

    # Settling

    async def settle(self, settlement: Settlement, answers: Mapping[str, Answer]) -> None:
        await self.post.transact(lambda unit: self.post.deliveries.settle(settlement, unit.session))
        self.count(answers)
        if self.gone:
            await self.disable()

    async def settled(self) -> None:
        """Wait until the last batch is stored. Raises LostLease."""
        if self.settling is not None:
            settling, self.settling = self.settling, None
            await settling
        self.upcoming.settled()

    def outcome(self, channel: Channel, batch: Batch, answers: Mapping[str, Answer]) -> Settlement:
        """What is delivered, what is tried again later, and how far the cursor may move.

        If most deliveries fail, it is the channel and not the customer: then nothing is scheduled for later, the
        cursor stays, and the backlog costs nothing.
        """
        now, policy_version = self.post.now(), channel.policy.version
        channel_fails = self.way() is not Way.OPEN
        receipts: dict[str, Receipt] = {}
        retries: dict[str, Retry | None] = dict.fromkeys(batch.pointless)
        left: dict[str, Receipt] = {}
        outcomes: list[tuple[int, int, bool]] = []
        for item in batch.items:
            customer = item.changed.customer_id
            answer = answers.get(customer)
            done = not item.needed or (answer is not None and (answer.taken or not channel_fails))
            if answer and answer.taken:
                receipts[customer] = receipt(item, answer, policy_version, batch.generation, now)
            elif answer and done:
                retries[customer] = retry = self.retry(item, answer, now)
                left[customer] = (item.receipt or Receipt(customer))._replace(retry=retry)
            if item.in_order:
                outcomes.append((*item.changed.place, done))
        self.trouble = self.present_trouble(now)
        cursor = batch.emptied | resolved(outcomes)
        self.upcoming.leave(cursor, left | receipts)
        owner, kept = self.lease.owner, list(receipts.values())
        return Settlement(self.channel_id, batch.generation, owner, cursor, kept, retries, self.trouble)

    def retry(self, item: Item, answer: Answer, now: datetime) -> Retry:
        """A newer version begins the schedule anew: it may well be what the receiver was waiting for."""
        before = item.receipt.retry if item.receipt else None
        same = before is not None and before.version in {0, item.changed.version}
        attempt = (before.attempt if before and same else 0) + 1
        pause = delivery.pause_before(attempt, self.pace.schedule, random.random())  # noqa: S311 - nothing secret
        return Retry(item.changed.version, attempt, now + pause if pause else None, answer.said())

    def present_trouble(self, now: datetime) -> Trouble | None:
        wait = self.blocked_for()
        if wait <= 0 and self.way() is Way.OPEN:
            return None
        since = self.trouble.since if self.trouble else now
        return Trouble(self.last_error, since, now + timedelta(seconds=wait))

    def count(self, answers: Mapping[str, Answer]) -> None:
        taken = sum(answer.taken for answer in answers.values())
        metrics.DELIVERIES.labels(self.channel_id, "delivered").inc(taken)
        metrics.DELIVERIES.labels(self.channel_id, "failed").inc(len(answers) - taken)

    async def disable(self) -> None:
        log.info("channel_disabled", channel=self.channel_id, error=self.last_error)
        reason = f"the receiver {self.last_error}: it wants no more"
        await self.post.transact(lambda unit: self.post.channels.disable(unit, self.channel_id, reason))
        await self.post.channels.refresh()


def receipt(item: Item, answer: Answer, policy_version: int, generation: int, now: datetime) -> Receipt:
    changed = item.changed
    return Receipt(
        changed.customer_id,
        changed.version,
        policy_version,
        generation,
        changed.place,
        status=answer.status,
        at=now,
        replays=item.receipt.replays if item.receipt else 0,
    )
