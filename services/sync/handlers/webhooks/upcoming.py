"""What is to be delivered to a webhook next: what has changed since the cursor, and what is due again."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.sync.domain.channel import Channel
from services.sync.domain.outgoing import Changed, Receipt, Verdict, erasure_verdict, held, verdict
from services.sync.domain.positions import Cursor, emptied
from services.sync.handlers.webhooks.needs import Post

DUE = 100
BY_HEART = 10_000
"""Receipts of one channel, some 4 MB."""


class Item(NamedTuple):
    """A view that the channel may have to be sent."""

    changed: Changed
    receipt: Receipt | None
    needed: bool
    in_order: bool
    """It came by the cursor, which must not pass it undone; otherwise it is a retry."""


@dataclass(frozen=True)
class Batch:
    generation: int
    items: list[Item]
    pointless: list[str]
    """Customers whose retry nobody needs any more."""
    emptied: Cursor
    """Partitions in which there is nothing left, and up to where."""


class Upcoming:
    """A channel's place in the order of changes as its worker knows it, ahead of the database by what is not settled.

    What others may change (a replay, the retries that are due) is looked up every so often; should it matter to what is
    not settled, settling fails. Receipts are made by whoever holds the lease and by nobody else, so those of late are
    known by heart; others only ask for a customer again, which makes a retry that is due.
    """

    def __init__(self, post: Post, channel_id: str) -> None:
        self.post = post
        self.channel_id = channel_id
        self.cursor: Cursor = {}
        self._generation = 0
        self._left: dict[str, Receipt] = {}
        """What is not settled, by customer: the database does not know of it yet."""
        self._settling: Mapping[str, Receipt] = {}
        """What is being settled: the database may know of it."""
        self._due: Sequence[Receipt] = ()
        self._by_heart: dict[str, Receipt] = {}
        """By customer, the one learnt last comes last."""
        self._look_at = 0.0

    async def batch(self, channel: Channel, limit: int) -> Batch:
        """The next batch, as if the one before were settled."""
        if time.monotonic() >= self._look_at:
            await self._look()
        tails = self.post.tail.positions
        changes = await self.post.changes.beyond(self.cursor, tails, limit)
        known = await self._receipts(changes)
        items = [self._item(channel, changed, known.get(changed.customer_id)) for changed in changes]
        owed = {receipt.customer_id: receipt for receipt in self._due if receipt.customer_id not in known}
        self._due = ()
        views = await self.post.changes.these(list(owed)) if owed else []
        items += [Item(view, owed[view.customer_id], needed=True, in_order=False) for view in views]
        pointless = sorted(owed.keys() - {view.customer_id for view in views})
        places = [changed.place for changed in changes]
        return Batch(self._generation, items, pointless, emptied(self.cursor, tails, places, limit))

    def leave(self, cursor: Cursor, receipts: Mapping[str, Receipt]) -> None:
        """Go on behind a batch that will be settled."""
        self.cursor |= cursor
        self._left |= receipts
        self._learn(receipts)

    def settling(self) -> None:
        """All that was left is about to be settled."""
        self._left, self._settling = {}, self._left

    def settled(self) -> None:
        """The settlement that was under way is stored."""
        self._settling = {}

    async def _look(self) -> None:
        progress, due = await asyncio.gather(
            self.post.deliveries.progress(self.channel_id),
            self.post.deliveries.due(self.channel_id, self.post.now(), DUE),
        )
        if progress.generation != self._generation:
            self._generation, self.cursor = progress.generation, {}
            self._left.clear()
            self._by_heart.clear()
        self.cursor |= {p: position for p, position in progress.cursor.items() if position > self.cursor.get(p, 0)}
        unknown = self._left.keys() | self._settling.keys()
        self._due = [receipt for receipt in due if receipt.customer_id not in unknown]
        self._learn({receipt.customer_id: receipt for receipt in self._due})
        self._look_at = time.monotonic() + self.post.pace.idle

    async def _receipts(self, changes: Sequence[Changed]) -> dict[str, Receipt]:
        customers = [changed.customer_id for changed in changes]
        if missing := [customer for customer in customers if customer not in self._by_heart]:
            self._learn(await self.post.deliveries.receipts(self.channel_id, missing))
        by_heart = self._by_heart
        return {customer: by_heart[customer] for customer in customers if customer in by_heart}

    def _learn(self, receipts: Mapping[str, Receipt]) -> None:
        by_heart = self._by_heart
        for customer, receipt in receipts.items():
            by_heart.pop(customer, None)
            by_heart[customer] = receipt
        while len(by_heart) > BY_HEART:
            del by_heart[next(iter(by_heart))]

    def _item(self, channel: Channel, changed: Changed, receipt: Receipt | None) -> Item:
        has = held(receipt, self._generation)
        judged = erasure_verdict(changed, receipt, has) if changed.erased else verdict(channel.source, changed, has)
        needed = judged is Verdict.SEND
        return Item(changed, receipt, needed=needed, in_order=True)
