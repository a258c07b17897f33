"""Where the order of changes ends at present, and who waits for it to grow."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

import structlog

from services.sync.domain.outgoing import Changed
from services.sync.domain.positions import Cursor, ahead
from services.sync.handlers.deliveries import ChangeStore
from services.sync.handlers.recent import Recent, Written

log = structlog.get_logger(__name__)
PAUSE = 1.0
ALONE_SECONDS = 10.0
"""Who alone has written for so long needs not be told by the database what it has written."""
TRUSTED_SECONDS = 2.0
"""So long after a look what is known by heart may be sent. A process that was asleep for longer may have missed that somebody
is erased.
"""


class TailStore(Protocol):
    async def tails(self) -> dict[int, int]:
        """The newest position of each partition."""

    def growth(self) -> AsyncGenerator[None]:
        """Something each time that positions have grown, whichever instance has done it. Never ends."""


class Tail:
    """The newest positions, as far as this instance knows them. One look at the database serves all channels.

    What this instance writes it knows at once. Of what others write the database tells, at the price of going over all
    that is written for it; as long as there are no others a look now and then does.
    """

    def __init__(self, store: TailStore, seconds: float) -> None:
        self.store = store
        self.seconds = seconds
        self.positions: Mapping[int, int] = {}
        self.recent = Recent()
        self._grown = asyncio.Event()
        self._nudged = asyncio.Event()
        self._written: dict[int, float] = {}
        """When this instance has written to a partition last."""
        self._others_wrote = time.monotonic()
        self._looked_at = -math.inf

    def written(self, written: Written) -> None:
        """A transaction of this instance has committed."""
        self.recent.written(written)
        self._written |= dict.fromkeys(written.after, time.monotonic())
        if ahead(written.after, self.positions):
            self.positions = newest(self.positions, written.after)
            self.wake()

    async def look(self) -> None:
        """Read the newest positions, and wake up whoever waits if they have grown."""
        known, asked = self.positions, time.monotonic()
        positions = await self.store.tails()
        if self.positions is not known:
            positions = newest(positions, self.positions)  # what has been read may be older than what was written since
        if positions != self.positions:
            self._heard_of_others(ahead(positions, self.positions))
            self.positions = positions
            self.wake()
        self._looked_at = asked

    def by_heart(self, cursor: Cursor, tails: Mapping[int, int], limit: int) -> list[Changed] | None:
        """The changes after a cursor and up to the tails; None if the database has to be asked."""
        trusted = time.monotonic() - self._looked_at <= TRUSTED_SECONDS
        return self.recent.beyond(cursor, tails, limit) if trusted else None

    def _heard_of_others(self, grown: Iterable[int]) -> None:
        """In a partition of ours it may well be what we have written a moment ago ourselves; that will soon be known."""
        self.recent.forget()
        now = time.monotonic()
        if any(now - self._written.get(partition, -math.inf) > ALONE_SECONDS for partition in grown):
            self._others_wrote = now

    @property
    def alone(self) -> bool:
        """Whether only this instance has written of late."""
        now = time.monotonic()
        wrote = max(self._written.values(), default=-math.inf)
        return now - wrote <= ALONE_SECONDS < now - self._others_wrote

    def nudge(self) -> None:
        """Something has changed: look at once."""
        self._nudged.set()

    def wake(self) -> None:
        """Let everybody who waits look around: there is something new, or they are to end."""
        self._grown.set()
        self._grown = asyncio.Event()

    async def listen(self) -> None:
        """Take the database's word for it whenever others have changed something. Never returns."""
        while True:
            try:
                if not self.alone:
                    await self._listen()
            except Exception as error:  # noqa: BLE001 - `follow` looks meanwhile, only less promptly
                log.warning("tail_not_told", error=type(error).__name__, retry_in=PAUSE)
            await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        """Until nobody else writes any more."""
        async with aclosing(self.store.growth()) as growth:
            async for _ in growth:
                self.nudge()
                if self.alone:
                    break

    async def follow(self) -> None:
        """Look after every nudge, and every so many seconds in any case. Never returns."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - the database is away; whoever waits goes on waiting
                log.warning("tail_not_seen", error=type(error).__name__)
            await happened(self._nudged, self.seconds)
            self._nudged.clear()

    async def beyond(self, cursor: Cursor, seconds: float) -> None:
        """Wait until something lies beyond the cursor, somebody wakes all, or the time is over."""
        if not ahead(self.positions, cursor):
            await happened(self._grown, seconds)


class ByHeart:
    """The views in the order in which they have changed: by heart where that can be trusted, else from the database."""

    def __init__(self, tail: Tail, store: ChangeStore) -> None:
        self.tail = tail
        self.store = store

    async def beyond(self, cursor: Cursor, tails: Mapping[int, int], limit: int) -> list[Changed]:
        found = self.tail.by_heart(cursor, tails, limit)
        return await self.store.beyond(cursor, tails, limit) if found is None else found

    async def these(self, customer_ids: Sequence[str]) -> list[Changed]:
        return await self.store.these(customer_ids)


def newest(some: Mapping[int, int], others: Mapping[int, int]) -> dict[int, int]:
    return {p: max(some.get(p, 0), others.get(p, 0)) for p in some.keys() | others.keys()}


async def happened(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most so many seconds; say whether it has come."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
