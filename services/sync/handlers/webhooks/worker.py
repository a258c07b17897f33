"""Delivers changed views to one webhook, in order per customer, as fast as it takes them and no faster."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence

import structlog

from services.sync.domain.channel import Channel
from services.sync.domain.delivery import Way
from services.sync.domain.outgoing import body, message_id
from services.sync.domain.policy import Policy
from services.sync.domain.reach import Reach
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.webhooks.needs import Answer, Lease, Post
from services.sync.handlers.webhooks.outcome import Terms, outcome_of
from services.sync.handlers.webhooks.standing import Standing
from services.sync.handlers.webhooks.unsettled import Unsettled
from services.sync.handlers.webhooks.upcoming import Batch, Item, Upcoming
from shared import metrics
from shared.logging import whereabouts

log = structlog.get_logger(__name__)

PROBES = 20
"""A probe is drawn from so many, so that one customer that always fails does not keep a healthy channel closed."""


class Worker:
    """One channel's deliveries on this instance: where its receiver stands, and its place in the order of changes.

    What batches leave behind is settled once a second, while the next ones are on their way: each begins where the one before has
    ended.
    """

    def __init__(self, channel_id: str, lease: Lease, post: Post) -> None:
        self.channel_id = channel_id
        self.lease = lease
        self.post = post
        self.pace = post.pace
        self.standing = Standing(post.pace)
        self.stopping = False
        self.unsettled = Unsettled()
        self.settling: asyncio.Task[None] | None = None
        self.upcoming = Upcoming(post, channel_id)
        self.reach = Reach({}, post.pace.ahead)

    async def run(self) -> None:
        """Deliver as long as the channel is active and the lease holds. Raises LostLease."""
        progress = await self.post.deliveries.progress(self.channel_id)
        self.reach = Reach(progress.reach, self.pace.ahead)
        try:
            while not self.stopping and not self.standing.gone and (channel := self.active()):
                if (wait := self.standing.blocked_for()) > 0 or not self.lease_holds():
                    await self.settle_all()
                    await asyncio.sleep(min(max(wait, 0.05), self.pace.idle))
                else:
                    await self.go_on(channel)
            await self.settle_all()
        finally:
            # After an error or a cancellation: what it does not store goes out again.
            if self.settling is not None:
                self.settling.cancel()
                await asyncio.gather(self.settling, return_exceptions=True)

    async def go_on(self, channel: Channel) -> None:
        """Deliver the next batch, or wait for one."""
        limit = self.pace.batch if self.standing.way() is Way.OPEN else PROBES
        began = time.monotonic()
        batch = await self.upcoming.batch(channel, limit)
        if batch.items or batch.pointless or batch.emptied:
            await self.deliver(channel, batch)
            if len(batch.items) < limit:
                await asyncio.sleep(self.pace.breath - (time.monotonic() - began))
        else:
            if self.settling is not None and self.settling.done():
                await self.settled()
            await self.settle_if_due()
            left = self.unsettled.waits(self.pace.settle)
            await self.post.tail.beyond(self.upcoming.cursor, min(self.pace.idle, left or self.pace.idle))

    def active(self) -> Channel | None:
        return self.post.channels.active(self.channel_id, "webhook")

    def lease_holds(self) -> bool:
        """Whether a delivery begun now ends before anybody else may deliver to the channel."""
        return time.monotonic() + self.pace.timeout < self.lease.valid_until

    # Sending

    async def deliver(self, channel: Channel, batch: Batch) -> None:
        """Send what is needed, and keep what came of it to be stored together with the cursor."""
        wanted = [item for item in batch.items if item.needed]
        if self.standing.way() is Way.PROBE and wanted:
            wanted = [random.choice(wanted)]  # noqa: S311 - nothing secret
        await self.put_down(wanted)
        answers = await self.send_all(channel, wanted, batch.generation)
        self.count(answers)
        await self.keep(channel, batch, answers)

    async def put_down(self, items: Sequence[Item]) -> None:
        """See to it that whoever may get something now is on record as such, should nobody learn what comes of it.

        Of customers who are sent something out of order there is a receipt already.
        """
        places = [item.changed.place for item in items if item.in_order]
        tails = self.post.tail.positions
        if self.reach.lacking(places, tails):
            await self.settled()
            if ends := self.reach.lacking(places, tails):
                await self.post.deliveries.reach(self.channel_id, self.lease.owner, ends)
                self.reach.recorded(ends)

    async def send_all(self, channel: Channel, items: list[Item], generation: int) -> dict[str, Answer]:
        """Answers by customer. Whoever has none was not sent anything that counts."""
        answers: dict[str, Answer] = {}
        queue = iter(items)
        policy, secrets = channel.policy, channel.secrets_at(self.post.now())

        async def sender() -> None:
            for item in queue:
                if channel.rate:
                    await self.standing.wait_for_a_turn(channel.rate)
                if not self.may_send(channel):
                    return
                answer = await self.send(channel, policy, secrets, item, generation)
                if self.standing.judge(answer):
                    answers[item.changed.customer_id] = answer

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self.pace.concurrency, len(items))):
                group.create_task(sender())
        return answers

    def may_send(self, channel: Channel) -> bool:
        """Whether the channel may still be sent anything, and is as it was when the batch began."""
        stopped = self.stopping or self.standing.closed()
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
        if item.in_order:
            self.reach.sends(item.changed.place)
        return await self.post.courier.send(channel.url, secrets, identity, content)

    # Settling

    async def keep(self, channel: Channel, batch: Batch, answers: Mapping[str, Answer]) -> None:
        """What the batch leaves behind; the next one begins there. What went well can wait for a second."""
        fails = self.standing.way() is not Way.OPEN
        came = outcome_of(batch, answers, Terms(channel.policy.version, self.pace.schedule, self.post.now(), fails))
        news = bool(came.retries or fails or self.standing.trouble or self.standing.gone)
        if news:
            await self.settle_all()  # of a customer there is one word at a time
        self.upcoming.leave(came.cursor, came.failed | came.receipts)
        self.unsettled.add(batch.generation, came)
        if news:
            await self.begin_to_settle()
        else:
            await self.settle_if_due()

    async def settle_if_due(self) -> None:
        left = self.unsettled.waits(self.pace.settle)
        if left is not None and left <= 0:
            await self.begin_to_settle()

    async def begin_to_settle(self) -> None:
        """All that batches have left behind, after what is being settled."""
        await self.settled()
        left, self.unsettled = self.unsettled, Unsettled(self.unsettled.generation)
        self.upcoming.settling()
        settlement = Settlement(
            self.channel_id,
            left.generation,
            self.lease.owner,
            left.cursor,
            list(left.receipts.values()),
            left.retries,
            self.standing.present_trouble(self.post.now()),
            self.reach.settling(self.post.tail.positions, ahead=self.standing.way() is Way.OPEN),
        )
        self.settling = asyncio.create_task(self.settle(settlement))

    async def settle(self, settlement: Settlement) -> None:
        await self.post.transact(lambda unit: self.post.deliveries.settle(settlement, unit.session))
        if self.standing.gone:
            await self.disable()

    async def settle_all(self) -> None:
        """Wait until everything is stored. Raises LostLease."""
        if self.unsettled.since is not None:
            await self.begin_to_settle()
        await self.settled()

    async def settled(self) -> None:
        """Wait until the settlement that is under way is stored. Raises LostLease."""
        if self.settling is not None:
            settling, self.settling = self.settling, None
            await settling
        self.upcoming.settled()
        self.reach.settled()

    def count(self, answers: Mapping[str, Answer]) -> None:
        taken = sum(answer.taken for answer in answers.values())
        metrics.DELIVERIES.labels(self.channel_id, "delivered").inc(taken)
        metrics.DELIVERIES.labels(self.channel_id, "failed").inc(len(answers) - taken)

    async def disable(self) -> None:
        error = self.standing.last_error
        log.info("channel_disabled", channel=self.channel_id, error=error)
        reason = f"the receiver {error}: it wants no more"
        await self.post.transact(lambda unit: self.post.channels.disable(unit, self.channel_id, reason))
        await self.post.channels.refresh()
