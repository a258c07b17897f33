"""Erasures at the channels: a webhook's answer acknowledges what it was sent; whoever listens to a stream says so, customer by
customer. The channel's receipt comes of all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from services.sync.domain.channel import Kind
from shared.contracts.erasures import CHANNEL, ERASURES, ErasureDone
from shared.messaging import Unit

log = structlog.get_logger(__name__)
LOOK_SECONDS = 2.0
ASK_AGAIN = timedelta(days=1)
"""A channel that still owes an acknowledgement, and is not being sent it anyway, is asked again so often."""


class NoSuchOwed(LookupError):
    """The channel was not asked to erase anybody under this id, or was never sent anything of this customer."""


class NotAcknowledgeable(Exception):
    """It cannot be acknowledged like this, or not yet."""


class Owed(NamedTuple):
    """What a channel was told to erase and has not given its receipt of."""

    id: str
    erasure_id: str
    channel: str
    customers: Sequence[str]
    asked_at: datetime
    acknowledged: frozenset[str] = frozenset()
    """Of these the channel has said that it keeps nothing."""


class Shown(NamedTuple):
    """Of one customer, the version that the channel was sent last, the one that erases, and whether sending has ended."""

    customer_id: str
    has: int
    erased_at: int
    failed: bool
    streamed: bool = False
    """Whether it went over a stream, and may not have arrived. What a webhook was sent it has acknowledged."""

    @property
    def told(self) -> bool:
        return self.erased_at > 0 and self.has >= self.erased_at


class Debts(Protocol):
    def open(self) -> AsyncIterator[Owed]: ...

    async def owed(self, erasure_id: str, channel: str, session: Any) -> Owed | None: ...

    async def settled(self, owed: Owed) -> bool:
        """Whether sync itself is done with the erasure, so that channels are shown nothing more of the customers."""

    async def shown(self, owed: Owed, session: Any = None) -> Sequence[Shown]:
        """All of the customers of whom the channel was ever sent anything."""

    async def acknowledged(self, owed: Owed, customer: str, session: Any) -> None: ...

    async def asked_again(self, owed: Owed, now: datetime, session: Any) -> None: ...

    async def finish(self, erasure_id: str, channel: str, now: datetime, session: Any) -> bool | None: ...


class Asking(Protocol):
    async def ask_again(self, channel_id: str, customer_id: str, now: datetime, session: Any) -> None: ...


class ChannelErasures:
    """Follows what channels acknowledge, and tells when it is all."""

    def __init__(
        self,
        debts: Debts,
        deliveries: Asking,
        kind_of: Callable[[str], Kind | None],
        transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]],
        now: Callable[[], datetime],
    ) -> None:
        """`kind_of`: a channel's kind, None where there is no channel any more. What goes over a stream may not arrive."""
        self.debts = debts
        self.deliveries = deliveries
        self.kind_of = kind_of
        self.transact = transact
        self.now = now

    async def follow(self) -> None:
        """For as long as the service runs, on each instance: a receipt is told once."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        async for owed in self.debts.open():
            kind = self.kind_of(owed.channel)
            settled = await self.debts.settled(owed)  # before what was shown: after it nothing more is
            left = [one for one in await self.debts.shown(owed) if not withdrawn(owed, one)]
            if settled and not left:
                await self.transact(partial(self.vouch, owed.erasure_id, owed.channel))
            elif self.now() - owed.asked_at >= ASK_AGAIN and (again := unheard(kind, left)):
                await self.transact(partial(self._ask_again, owed, again))

    async def acknowledge(self, erasure_id: str, channel: str, customer: str | None, unit: Unit) -> None:
        """The channel keeps nothing of this customer any more. Said again, nothing changes.

        Without a customer it is the only one whom the channel was sent; of several each has to be named, because the last of
        them may still be on its way. Raises NoSuchOwed, NotAcknowledgeable.
        """
        owed = await self.debts.owed(erasure_id, channel, unit.session)
        if owed is None:
            raise NoSuchOwed(f"erasure {erasure_id} of {channel}")
        shown = {one.customer_id: one for one in await self.debts.shown(owed, unit.session)}
        if customer is None and len(shown) > 1:
            raise NotAcknowledgeable(
                f"the channel was sent {len(shown)} customers of this erasure: say of each by its id"
            )
        one = shown.get(customer or next(iter(shown), ""))
        if one is None:
            raise NoSuchOwed(f"customer {customer} in erasure {erasure_id} of {channel}")
        if not one.told:
            raise NotAcknowledgeable("the channel was not sent yet that this customer is erased")
        await self.debts.acknowledged(owed, one.customer_id, unit.session)

    async def vouch(self, erasure_id: str, channel: str, unit: Unit) -> None:
        """The channel keeps nothing of any of the customers, as is known or as an operator says. Raises NoSuchOwed."""
        now = self.now()
        first = await self.debts.finish(erasure_id, channel, now, unit.session)
        if first is None:
            raise NoSuchOwed(f"erasure {erasure_id} of {channel}")
        if first:
            fact = ErasureDone(erasure_id=erasure_id, place=CHANNEL + channel, at=now)
            unit.publish(ERASURES, fact, key=erasure_id)
            log.info("erasure_acknowledged", erasure_id=erasure_id, channel=channel)

    async def _ask_again(self, owed: Owed, again: Sequence[Shown], unit: Unit) -> None:
        for one in again:
            await self.deliveries.ask_again(owed.channel, one.customer_id, self.now(), unit.session)
        await self.debts.asked_again(owed, self.now(), unit.session)


def withdrawn(owed: Owed, one: Shown) -> bool:
    """Whether it is certain that the channel keeps nothing of the customer: by how it was told, whatever it is by now."""
    return one.customer_id in owed.acknowledged or (one.told and not one.streamed)


def unheard(kind: Kind | None, left: Sequence[Shown]) -> list[Shown]:
    """Those who have to be sent once more: to a webhook whoever has failed for good, to a stream whoever may not have arrived."""
    if kind == "sse":
        return [one for one in left if one.erased_at]
    return [one for one in left if one.failed] if kind else []
