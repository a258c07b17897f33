"""Delivers changed views over a connection that the channel keeps open (server-sent events)."""

import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from services.sync.domain.channel import Channel
from services.sync.domain.outgoing import Changed, Receipt, Verdict, body, erasure_verdict, held_by_stream, verdict
from services.sync.domain.policy import Policy
from services.sync.domain.positions import Cursor, Resume, emptied, event_id, start_of
from services.sync.domain.sensitive import Sensitive
from services.sync.handlers.channels import Channels
from services.sync.handlers.deliveries import ChangeStore, DeliveryStore, LostLease, Settlement
from services.sync.handlers.tail import Tail
from shared import metrics
from shared.logging import whereabouts
from shared.messaging import Unit
from shared.messaging.transient import transient

log = structlog.get_logger(__name__)
BATCH = 500
DUE = 100


@dataclass(frozen=True)
class Line:
    """All that streams need of the outside."""

    channels: Channels
    changes: ChangeStore
    deliveries: DeliveryStore
    tail: Tail
    transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]]
    now: Callable[[], datetime]
    idle: float = 1.0
    """Seconds: how often it is looked up whether anything is to be sent again."""
    sensitive: Sensitive = field(default_factory=Sensitive)


class Stream:
    """One connection of one channel.

    It reads straight from the views, as fast as the client takes them: a slow client costs no memory, and meets each
    customer in the newest version.
    """

    def __init__(
        self,
        channel_id: str,
        resume: Resume | None,
        line: Line,
        allowed: Callable[[], bool],
        *,
        from_start: bool = False,
    ) -> None:
        self.channel_id = channel_id
        self.resume = resume
        self.from_start = from_start and resume is None
        self.line = line
        self.allowed = allowed
        self.connection = secrets.token_hex(8)
        self.start: Cursor = {}
        self.cursor: Cursor = {}
        self.generation: int | None = None
        self._due: Sequence[Receipt] = ()
        self._look_at = 0.0

    async def chunks(self) -> AsyncIterator[bytes]:
        """Events as they go over the wire, until the channel or its key are no longer valid. It also ends where the
        database is away: the client comes back and goes on where it was.
        """
        try:
            await self.line.tail.look()
            while (channel := self.line.channels.active(self.channel_id, "sse")) and self.allowed():
                if chunk := await self.next_chunk(channel):
                    yield chunk
        except Exception as error:
            if not transient(error):
                raise
            log.warning("stream_broken", channel=self.channel_id, error=type(error).__name__, at=whereabouts(error))

    async def next_chunk(self, channel: Channel) -> bytes:
        """What has changed; nothing if nothing has changed for a while.

        It is on record before it goes out: of whom a channel was sent anything, it has to hear that they are erased.
        """
        if time.monotonic() >= self._look_at:
            await self.look()
        tails = self.line.tail.positions
        changes = await self.line.changes.beyond(self.cursor, tails, BATCH)
        self.cursor |= emptied(self.cursor, tails, [changed.place for changed in changes], BATCH)
        chunk, receipts = await self.render(channel, changes)
        if not chunk and not changes:
            await self.line.tail.beyond(self.cursor, self.line.idle)
        else:
            await self.store(receipts)
        return chunk

    async def look(self) -> None:
        """Begin where the client is; begin anew if somebody has asked for a replay meanwhile. Whom somebody wants sent again
        comes with the next chunk.
        """
        progress = await self.line.deliveries.progress(self.channel_id)
        if progress.generation != self.generation:
            resume = self.resume if self.generation is None else Resume(self.generation, self.cursor)
            start = start_of(resume, progress.generation, progress.cursor, self.line.tail.positions)
            if self.from_start and self.generation is None:
                start = {}
            self.generation = progress.generation
            self.start, self.cursor = dict(start), dict(start)
        self._due = await self.line.deliveries.due(self.channel_id, self.line.now(), DUE)
        self._look_at = time.monotonic() + self.line.idle

    async def render(self, channel: Channel, changes: Sequence[Changed]) -> tuple[bytes, list[Receipt]]:
        """The events that the client needs, in one piece, and what is to be kept of them."""
        assert self.generation is not None, "the place is found before anything is sent"
        known = await self.known(channel, changes)
        pieces: list[bytes] = []
        receipts: list[Receipt] = []
        policy, now = channel.policy, self.line.now()
        for changed in changes:
            self.cursor[changed.place.partition] = changed.place.position
            receipt = known.get(changed.customer_id)
            held = held_by_stream(receipt, self.generation, self.connection, self.start)
            judged = (
                erasure_verdict(changed, receipt, held) if changed.erased else verdict(channel.source, changed, held)
            )
            if judged is Verdict.SEND:
                pieces.append(self.event(policy, changed, now))
                receipts.append(self.receipt(policy.version, changed, now))
        for changed in await self.asked_for(changes):
            pieces.append(self.event(policy, changed, now))
            receipts.append(self.receipt(policy.version, changed, now))
        return b"".join(pieces), receipts

    def event(self, policy: Policy, changed: Changed, now: datetime) -> bytes:
        assert self.generation is not None, "the place is found before anything is sent"
        data = body(self.channel_id, policy, changed, now, self.line.sensitive)
        return event(event_id(self.generation, self.cursor), data)

    async def known(self, channel: Channel, changes: Sequence[Changed]) -> dict[str, Receipt]:
        """Receipts matter only where a change may be an echo, or is an erasure, of which only those hear who were ever sent
        anything: a client resumes where it says, whatever it was sent.
        """
        matter = [c.customer_id for c in changes if c.erased]
        if channel.source is not None:
            matter += [c.customer_id for c in changes if any(source == channel.source for source, _ in c.origins)]
        return await self.line.deliveries.receipts(self.channel_id, matter) if matter else {}

    async def asked_for(self, changes: Sequence[Changed]) -> Sequence[Changed]:
        """Customers that somebody wants sent again."""
        due, self._due = self._due, ()
        sent = {changed.customer_id for changed in changes}
        wanted = [receipt.customer_id for receipt in due if receipt.customer_id not in sent]
        return await self.line.changes.these(wanted) if wanted else []

    def receipt(self, policy_version: int, changed: Changed, now: datetime) -> Receipt:
        return Receipt(
            changed.customer_id,
            version=changed.version,
            policy_version=policy_version,
            generation=self.generation or 0,
            place=changed.place,
            stream=self.connection,
            at=now,
        )

    async def store(self, receipts: Sequence[Receipt]) -> None:
        """Keep what is sent, and the place for clients that will not say where they are."""
        metrics.DELIVERIES.labels(self.channel_id, "delivered").inc(len(receipts))
        over = dict.fromkeys(receipt.customer_id for receipt in receipts)
        settlement = Settlement(self.channel_id, self.generation, None, dict(self.cursor), receipts, over)
        try:
            await self.line.transact(lambda unit: self.line.deliveries.settle(settlement, unit.session))
        except LostLease:
            # Started over meanwhile: the place is void, that the views are sent is not.
            self._look_at = 0.0
            void = replace(settlement, generation=None, cursor={})
            await self.line.transact(lambda unit: self.line.deliveries.settle(void, unit.session))


def event(identity: str, data: bytes) -> bytes:
    """One server-sent event. The data is JSON on one line."""
    return b"id: %s\r\nevent: customer\r\ndata: %s\r\n\r\n" % (identity.encode(), data)
