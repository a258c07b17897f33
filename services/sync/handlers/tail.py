"""Where the order of changes ends at present, and who waits for it to grow."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import structlog

from services.sync.domain.positions import Cursor, ahead

log = structlog.get_logger(__name__)
PAUSE = 1.0


class TailStore(Protocol):
    async def tails(self) -> dict[int, int]:
        """The newest position of each partition."""

    def growth(self) -> AsyncIterator[None]:
        """Something each time that positions have grown, whichever instance has done it. Never ends."""


class Tail:
    """The newest positions, as far as this instance knows them. One look at the database serves all channels."""

    def __init__(self, store: TailStore, seconds: float) -> None:
        self.store = store
        self.seconds = seconds
        self.positions: Mapping[int, int] = {}
        self._grown = asyncio.Event()
        self._nudged = asyncio.Event()

    async def look(self) -> None:
        """Read the newest positions, and wake up whoever waits if they have grown."""
        positions = await self.store.tails()
        if positions != self.positions:
            self.positions = positions
            self.wake()

    def nudge(self) -> None:
        """Something has changed: look at once."""
        self._nudged.set()

    def wake(self) -> None:
        """Let everybody who waits look around: there is something new, or they are to end."""
        self._grown.set()
        self._grown = asyncio.Event()

    async def listen(self) -> None:
        """Take the database's word for it whenever something has changed. Never returns."""
        while True:
            try:
                async for _ in self.store.growth():
                    self.nudge()
            except Exception as error:  # noqa: BLE001 - `follow` looks meanwhile, only less promptly
                log.warning("tail_not_told", error=type(error).__name__, retry_in=PAUSE)
                await asyncio.sleep(PAUSE)

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


async def happened(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, at most so many seconds; say whether it has come."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
