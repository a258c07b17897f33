"""Transactions that nobody will end: their process was killed, or sleeps, and what they have written blocks its successor.

MongoDB ends them by itself after `transactionLifetimeLimitSeconds`, 60 by default; for so long every other writer of the
same documents meets write conflicts. Whoever meets them for a while looks here and ends those that do nothing at all.
That is safe even if it hits the living: a transaction that was ended from outside is tried again by its owner.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

import structlog
from pymongo.errors import PyMongoError

log = structlog.get_logger()
APPLICATION = "rapport-"
"""What the names of our clients begin with; transactions of others are not our business."""
CONFLICT_SECONDS = 0.3
"""Two that work on the same documents conflict for moments; only what lasts longer is looked into."""
IDLE_SECONDS = 1.5
LOOK_SECONDS = 0.5

Key = tuple[bytes, int]


class Server(Protocol):
    """What is asked of the database server; no privilege is needed for one's own user's sessions."""

    async def open_transactions(self) -> list[dict[str, Any]]:
        """`$currentOp`'s documents of type `idleSession`."""

    async def end_sessions(self, ids: list[Any]) -> None: ...


class Orphans:
    """What one writer has seen while it met conflicts. Make one for each transaction that is tried."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._since: float | None = None
        self._looked = 0.0
        self._seen: dict[Key, tuple[int, float]] = {}
        """By session and transaction: for how long it had worked, and since when that has not changed."""

    async def conflict(self) -> None:
        """There was a write conflict just now. Ends what stands in the way, once it is certain enough."""
        now = time.monotonic()
        self._since = self._since or now
        if now - self._since < CONFLICT_SECONDS or now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            idle = self._idle(await self._server.open_transactions(), now)
            if idle:
                await self._server.end_sessions([document["lsid"]["id"] for document in idle])
        except PyMongoError as error:  # then the server's own limit has to do
            log.warning("orphans_not_ended", error=type(error).__name__)
            return
        for document in idle:
            log.warning(
                "orphan_ended", of=document.get("appName"), opened=document["transaction"]["startWallClockTime"]
            )

    def _idle(self, open_ones: Iterable[dict[str, Any]], now: float) -> list[dict[str, Any]]:
        """Those that have done nothing between looks for long enough."""
        idle = []
        seen: dict[Key, tuple[int, float]] = {}
        for document in open_ones:
            transaction = document.get("transaction")
            if transaction is None or not str(document.get("appName", "")).startswith(APPLICATION):
                continue
            key = bytes(document["lsid"]["id"]), transaction["parameters"]["txnNumber"]
            worked = transaction["timeActiveMicros"]
            before = self._seen.get(key)
            seen[key] = before if before and before[0] == worked else (worked, now)
            if now - seen[key][1] >= IDLE_SECONDS:
                idle.append(document)
        self._seen = seen
        return idle
