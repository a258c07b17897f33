"""Following what becomes of contacts, so that duplicates are found right behind the events: one instance at a time.

What changed comes as a stream of ids, kept with a token from which to go on after a stop; what the stream takes twice has the
effect of once. All contacts are passed through, piece by piece, when there is no token yet (the first start, or the database has
forgotten that far back), when something was learnt, and when other limits are wanted. Both go on from where they were.
"""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog

from services.contacts.handlers.matching import Matching
from shared.idle import Idle, unknown
from shared.leases import Lease, UnderWay, leased

log = structlog.get_logger(__name__)
PIECE = 100
"""Contacts taken at a time: half a second of one core, of which no part holds the event loop for long."""
QUIET_SECONDS = 1.0
"""So long the stream is waited for when there is nothing else to do."""


class HistoryLost(Exception):
    """The database does not remember what changed since the token."""


@dataclass(frozen=True)
class Progress:
    """Where we are. `token`: in the stream; `after`: the last contact of the pass under way, None if none is; `mark`: what the last
    pass was for.
    """

    token: Any = None
    after: str | None = None
    mark: str = ""


@dataclass(frozen=True)
class News:
    """Contacts that changed, and those of whom something else did; as of `token` all of it."""

    customers: Collection[str]
    touched: Collection[str]
    token: Any

    def __len__(self) -> int:
        return len(self.customers) + len(self.touched)


class Stream(Protocol):
    """What changes, in order."""

    start: Any
    """The token from which on it tells everything."""

    async def next(self, most: int, seconds: float) -> News:
        """What there is, at most so much; if there is nothing yet, what comes within the time."""


class Marks(Protocol):
    """Where the progress is kept, and what is followed."""

    lease: Lease

    def changes(self, token: Any) -> AbstractAsyncContextManager[Stream]:
        """Since that token, or from now on. Raises HistoryLost, also later."""

    async def progress(self) -> Progress: ...

    async def save_progress(self, progress: Progress) -> None: ...

    async def following(self, after: str, limit: int) -> list[str]:
        """The contacts that follow an id, in the order of their ids."""

    async def mark(self) -> str:
        """What is known and wanted now."""


class Following:
    """Keeps records and pairs up to date for as long as it runs.

    It takes `share` of a core at most, and less of a busy machine: nobody waits for it, and those who wait have the rest.
    """

    def __init__(
        self,
        marks: Marks,
        matching: Matching,
        owner: str,
        share: float,
        idle: Idle | None = None,
    ) -> None:
        self.marks = marks
        self.matching = matching
        self.owner = owner
        self.share = share
        self.idle = idle or Idle(unknown)

    async def follow(self) -> None:
        """Until cancelled, if nobody else does. Raises LeaseLost."""
        with suppress(UnderWay):
            async with leased(self.marks.lease, self.owner, "The matching of contacts"):
                await self._follow()

    async def _follow(self) -> None:
        progress = await self.marks.progress()
        try:
            async with self.marks.changes(progress.token) as stream:
                if progress.token is None:
                    # The stream is open before the pass begins: what it passed by comes through the stream.
                    progress = await self._save(Progress(token=stream.start, after=""))
                while True:
                    progress = await self.step(stream, progress)
        except HistoryLost:
            log.warning("matching_lost_its_history")
            await self._save(Progress())

    async def step(self, stream: Stream, progress: Progress) -> Progress:
        """One piece of the stream and, if a pass is under way, one of it."""
        news = await stream.next(PIECE, QUIET_SECONDS if progress.after is None else 0.0)
        async with self.idle.piece(self.share):
            if news:
                await self.matching.take(news.customers, news.touched)
            if news.token is not None and news.token != progress.token:
                progress = await self._save(replace(progress, token=news.token))
            return await self._pass(progress)

    async def _pass(self, progress: Progress) -> Progress:
        mark = await self.marks.mark()
        if progress.mark != mark:
            progress = await self._save(replace(progress, after="", mark=mark))
        if progress.after is None:
            return progress
        piece = await self.marks.following(progress.after, PIECE)
        if piece:
            await self.matching.take(piece)
        return await self._save(replace(progress, after=piece[-1] if piece else None))

    async def _save(self, progress: Progress) -> Progress:
        await self.marks.save_progress(progress)
        return progress
