"""Erasures at the channels: a webhook's acknowledgement is its receipt; whoever listens to a stream says so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple, Protocol

import structlog

from shared.contracts.erasures import CHANNEL, ERASURES, ErasureDone
from shared.messaging import Unit

log = structlog.get_logger(__name__)
LOOK_SECONDS = 2.0
ASK_AGAIN = timedelta(days=1)
"""A channel that has failed for good is asked again so often, for as long as it owes the receipt."""


class NoSuchOwed(LookupError):
    """The channel was not asked to erase anybody under this id."""


class Owed(NamedTuple):
    """What a channel was told to erase and has not acknowledged."""

    id: str
    erasure_id: str
    channel: str
    customers: Sequence[str]
    asked_at: datetime


class Shown(NamedTuple):
    """Of one customer, the version that the channel has acknowledged, the one that erases, and whether sending has ended."""

    customer_id: str
    has: int
    erased_at: int
    failed: bool

    @property
    def acknowledged(self) -> bool:
        return self.erased_at > 0 and self.has >= self.erased_at


class Debts(Protocol):
    def open(self) -> AsyncIterator[Owed]: ...

    async def shown(self, owed: Owed) -> Sequence[Shown]: ...

    async def asked_again(self, owed: Owed, now: datetime, session: Any) -> None: ...

    async def finish(self, erasure_id: str, channel: str, now: datetime, session: Any) -> bool | None: ...


class Asking(Protocol):
    async def ask_again(self, channel_id: str, customer_id: str, now: datetime, session: Any) -> None: ...


class ChannelErasures:
    """Follows what channels acknowledge, and tells it."""

    def __init__(
        self,
        debts: Debts,
        deliveries: Asking,
        pushed: Callable[[str], bool],
        transact: Callable[[Callable[[Unit], Awaitable[Any]]], Awaitable[Any]],
        now: Callable[[], datetime],
    ) -> None:
        """`pushed`: whether a channel is a webhook, whose answer acknowledges. What goes over a stream may not arrive."""
        self.debts = debts
        self.deliveries = deliveries
        self.pushed = pushed
        self.transact = transact
        self.now = now

    async def follow(self) -> None:
        """For as long as the service runs, on each instance: a receipt is told once."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        async for owed in self.debts.open():
            if not self.pushed(owed.channel):
                continue
            shown = await self.debts.shown(owed)
            if all(one.acknowledged for one in shown):
                await self.transact(partial(self.acknowledge, owed.erasure_id, owed.channel))
            elif any(one.failed for one in shown) and self.now() - owed.asked_at >= ASK_AGAIN:
                await self.transact(partial(self._ask_again, owed, shown))

    async def acknowledge(self, erasure_id: str, channel: str, unit: Unit) -> None:
        """The channel has removed the customer. Said again, nothing changes. Raises NoSuchOwed."""
        now = self.now()
        first = await self.debts.finish(erasure_id, channel, now, unit.session)
        if first is None:
            raise NoSuchOwed(f"{erasure_id} of {channel}")
        if first:
            fact = ErasureDone(erasure_id=erasure_id, place=CHANNEL + channel, at=now)
            unit.publish(ERASURES, fact, key=erasure_id)
            log.info("erasure_acknowledged", erasure_id=erasure_id, channel=channel)

    async def _ask_again(self, owed: Owed, shown: Sequence[Shown], unit: Unit) -> None:
        for one in shown:
            if one.failed:
                await self.deliveries.ask_again(owed.channel, one.customer_id, self.now(), unit.session)
        await self.debts.asked_again(owed, self.now(), unit.session)
