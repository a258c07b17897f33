"""Delivers changed views to one webhook, in order per customer, as fast as it takes them and no faster."""

import asyncio
import random
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from services.sync.domain import delivery
from services.sync.domain.channel import Channel
from services.sync.domain.delivery import Breaker, TokenBucket, Way
from services.sync.domain.outgoing import (
    Changed,
    Progress,
    Receipt,
    Retry,
    Trouble,
    Verdict,
    body,
    held,
    message_id,
    verdict,
)
from services.sync.domain.positions import resolved
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.webhooks.needs import Answer, Lease, Post
from shared import metrics
from shared.logging import whereabouts

log = structlog.get_logger(__name__)

DUE = 100
PROBES = 20
"""A probe is drawn from so many, so that one customer that always fails does not keep a healthy channel closed."""


@dataclass(frozen=True, slots=True)
class Item:
    """A view that the channel may have to be sent."""

    changed: Changed
    receipt: Receipt | None
    needed: bool
    in_order: bool
    """It came by the cursor, which must not pass it undone; otherwise it is a retry."""


@dataclass(frozen=True)
class Batch:
    progress: Progress
    items: list[Item]
    pointless: list[str]
    """Customers whose retry nobody needs any more."""


class Worker:
    """One channel's deliveries on this instance: its breaker, its rate, its place in the order of changes."""

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

    async def run(self) -> None:
        """Deliver as long as the channel is active and the lease holds. Raises LostLease."""
        while not self.stopping and (channel := self.post.channels.active(self.channel_id, "webhook")):
            if (wait := self.blocked_for()) > 0 or not self.lease_holds():
                await asyncio.sleep(min(max(wait, 0.05), self.pace.idle))
                continue
            batch = await self.next_batch(channel)
            if batch.items or batch.pointless:
                await self.deliver(channel, batch)
            else:
                await self.post.tail.beyond(batch.progress.cursor, self.pace.idle)

    def blocked_for(self) -> float:
        """Seconds until the receiver may be asked again."""
        now = time.monotonic()
        breaker = (self.breaker.resume_at or now) - now
        return max(breaker, self.busy_until - now, 0.0)

    def lease_holds(self) -> bool:
        """Whether a delivery begun now ends before anybody else may deliver to the channel."""
        return time.monotonic() + self.pace.timeout < self.lease.valid_until

    # What is to be sent

    async def next_batch(self, channel: Channel) -> Batch:
        """What has changed since the cursor, and what is due again."""
        progress, due = await asyncio.gather(
            self.post.deliveries.progress(self.channel_id),
            self.post.deliveries.due(self.channel_id, self.post.now(), DUE),
        )
        limit = self.pace.batch if self.way() is Way.OPEN else PROBES
        changes = await self.post.changes.beyond(progress.cursor, self.post.tail.positions, limit)
        receipts = await self.post.deliveries.receipts(self.channel_id, [c.customer_id for c in changes])
        items = [self.item(channel, changed, receipts.get(changed.customer_id), progress) for changed in changes]
        owed = {receipt.customer_id: receipt for receipt in due if receipt.customer_id not in receipts}
        views = await self.post.changes.these(list(owed)) if owed else []
        items += [Item(view, owed[view.customer_id], needed=True, in_order=False) for view in views]
        return Batch(progress, items, sorted(owed.keys() - {view.customer_id for view in views}))

    def item(self, channel: Channel, changed: Changed, receipt: Receipt | None, progress: Progress) -> Item:
        needed = verdict(channel.source, changed, held(receipt, progress.generation)) is Verdict.SEND
        return Item(changed, receipt, needed=needed, in_order=True)

    def way(self) -> Way:
        return self.breaker.way(time.monotonic())

    # Sending

    async def deliver(self, channel: Channel, batch: Batch) -> None:
        """Send what is needed, and store what came of it together with the cursor."""
        wanted = [item for item in batch.items if item.needed]
        if self.way() is Way.PROBE and wanted:
            wanted = [random.choice(wanted)]  # noqa: S311 - nothing secret
        answers = await self.send_all(channel, wanted, batch.progress.generation)
        settlement = self.settlement(channel, batch, answers)
        await self.post.transact(lambda unit: self.post.deliveries.settle(settlement, unit.session))
        self.count(answers)
        if self.gone:
            await self.disable()

    async def send_all(self, channel: Channel, items: list[Item], generation: int) -> dict[str, Answer]:
        """Answers by customer. Whoever has none was not sent anything that counts."""
        answers: dict[str, Answer] = {}
        queue = iter(items)

        async def sender() -> None:
            for item in queue:
                if not await self.may_send(channel):
                    return
                answer = await self.send(channel, item, generation)
                if self.judge(answer):
                    answers[item.changed.customer_id] = answer

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.pace.concurrency, len(items))):
                group.create_task(sender())
        return answers

    async def may_send(self, channel: Channel) -> bool:
        """Wait for the channel's rate; say whether it may still be sent anything."""
        if channel.rate:
            if self.bucket is None or self.bucket.rate != channel.rate:
                self.bucket = TokenBucket(channel.rate)
            await asyncio.sleep(self.bucket.take(time.monotonic()))
        stopped = self.gone or self.stopping or time.monotonic() < self.busy_until or self.way() is Way.BLOCKED
        return not stopped and self.lease_holds() and self.post.channels.active(self.channel_id, "webhook") is channel

    async def send(self, channel: Channel, item: Item, generation: int) -> Answer:
        assert channel.url is not None, "a webhook has a url"
        secrets = channel.secrets_at(self.post.now())
        identity = message_id(channel, item.changed, item.receipt, generation)
        try:
            content = body(channel, item.changed)
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

    def settlement(self, channel: Channel, batch: Batch, answers: dict[str, Answer]) -> Settlement:
        """What is delivered, what is tried again later, and how far the cursor may move.

        If most deliveries fail, it is the channel and not the customer: then nothing is scheduled for later, the
        cursor stays, and the backlog costs nothing.
        """
        now = self.post.now()
        channel_fails = self.way() is not Way.OPEN
        receipts: list[Receipt] = []
        retries: dict[str, Retry | None] = dict.fromkeys(batch.pointless)
        outcomes: list[tuple[int, int, bool]] = []
        for item in batch.items:
            answer = answers.get(item.changed.customer_id)
            done = not item.needed or (answer is not None and (answer.taken or not channel_fails))
            if answer and answer.taken:
                receipts.append(self.receipt(channel, item, answer, batch.progress.generation, now))
            elif answer and done:
                retries[item.changed.customer_id] = self.retry(item, answer, now)
            if item.in_order:
                outcomes.append((*item.changed.place, done))
        self.trouble = self.present_trouble(now)
        return Settlement(
            channel_id=self.channel_id,
            generation=batch.progress.generation,
            owner=self.lease.owner,
            cursor=resolved(outcomes),
            receipts=receipts,
            retries=retries,
            trouble=self.trouble,
        )

    def receipt(self, channel: Channel, item: Item, answer: Answer, generation: int, now: datetime) -> Receipt:
        return replace(
            item.receipt or Receipt(item.changed.customer_id),
            version=item.changed.version,
            policy_version=channel.policy.version,
            generation=generation,
            place=item.changed.place,
            status=answer.status,
            at=now,
        )

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

    def count(self, answers: dict[str, Answer]) -> None:
        taken = sum(answer.taken for answer in answers.values())
        metrics.DELIVERIES.labels(self.channel_id, "delivered").inc(taken)
        metrics.DELIVERIES.labels(self.channel_id, "failed").inc(len(answers) - taken)

    async def disable(self) -> None:
        log.info("channel_disabled", channel=self.channel_id, error=self.last_error)
        reason = f"the receiver {self.last_error}: it wants no more"
        await self.post.transact(lambda unit: self.post.channels.disable(unit, self.channel_id, reason))
        await self.post.channels.refresh()
