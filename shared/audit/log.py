"""The audit trail: who has seen what of whom, when and why. Only ever added to, and sealed so that tampering shows.

Each process writes a chain of its own: every entry carries the hash of the one before, so none can be changed, taken out or put
in between without breaking all that follow. The first of a chain carries the heads of all other chains, so that cutting the
end of one, or the whole of it, shows as soon as a process has started since.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Protocol

import structlog
from pymongo import ASCENDING, DESCENDING

from shared.audit.seals import Accessed, Chain, Checker, sha256
from shared.ids import uuid7
from shared.mongo import Database, Document, aggregate, ensure_collections

log = structlog.get_logger(__name__)

COLLECTION = "audit"
PIECE = 1000
"""Entries that are written, or checked, at a time."""


class Trail(Protocol):
    """Where it is kept."""

    async def write(self, access: Accessed) -> None:
        """Returns once it is kept for good: only then may what was asked for be answered."""


class AuditLog:
    """The trail in a service's own database.

    What many requests have to write at a time goes out in one insert. After a failure nobody knows what of it has arrived, so a
    new chain is begun; whoever waited gets the error, and answers nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries = database[COLLECTION]
        self._waiting: list[tuple[Accessed, str | None, asyncio.Future[None]]] = []
        self._writing = asyncio.Lock()
        self._chain: Chain | None = None

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])
        await self._entries.create_index([("chain", ASCENDING), ("number", ASCENDING)], unique=True)
        await self._entries.create_index([("at", DESCENDING), ("_id", DESCENDING)])
        await self._entries.create_index([("customers", ASCENDING), ("at", DESCENDING), ("_id", DESCENDING)])

    async def write(self, access: Accessed) -> None:
        written = asyncio.get_running_loop().create_future()
        correlation = structlog.contextvars.get_contextvars().get("correlation_id")
        self._waiting.append((access, correlation, written))
        async with self._writing:
            if not written.done():
                await asyncio.shield(self._write_all())
        await written

    async def _write_all(self) -> None:
        """Everything that waits by now, also what others have brought."""
        taken, self._waiting = self._waiting[:PIECE], self._waiting[PIECE:]
        try:
            chain = self._chain or await self._begun()
            self._chain = None  # till it is certain where it ends
            rows = [chain.link(access, correlation) for access, correlation, _ in taken]
            await self._entries.insert_many(rows)
            self._chain = chain
        except Exception as error:  # noqa: BLE001 - each of them waits, and must hear of it
            for _, _, written in taken:
                _settle(written, error)
            return
        for _, _, written in taken:
            _settle(written, None)

    async def _begun(self) -> "Chain":
        pinned = {(one["chain"], one["number"]) async for one in self._pinned()}
        heads = [one for one in await self._heads() if (one["chain"], one["number"]) not in pinned]
        if heads:
            # Outside the database, where whoever changes it cannot reach: what the chains ended in at this moment.
            log.info("audit_heads", chains=len(heads), sha256=sha256(heads))
        return Chain(uuid7(datetime.now(UTC)), heads)

    async def _pinned(self) -> AsyncIterator[Document]:
        """What the first entries of chains say that others ended in."""
        async for first in self._entries.find({"number": 1}, {"heads": 1}).sort("_id", ASCENDING):
            for head in first["heads"]:
                yield {**head, "seen_by": first["_id"]}

    async def _heads(self) -> list[Document]:
        """The last entry of each chain."""
        last = {"_id": "$chain", "number": {"$last": "$number"}, "hash": {"$last": "$hash"}}
        found = await aggregate(
            self._entries, [{"$sort": {"chain": 1, "number": 1}}, {"$group": last}, {"$sort": {"_id": 1}}]
        )
        return [{"chain": one["_id"], "number": one["number"], "hash": one["hash"]} for one in found]

    async def page(
        self, customer: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Document]]:
        """Entries, those about a customer or all, the newest first, each with its place."""
        wanted: Document = {"customers": customer} if customer else {}
        if before:
            at, place = before
            wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": place}}]
        found = self._entries.find(wanted).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(limit)
        return [(row["_id"], row) async for row in found]

    async def faults(self) -> tuple[int, list[str]]:
        """How many entries there are, and where the seals are broken: at most 100 places, in words."""
        checker, rows = Checker([head async for head in self._pinned()]), 0
        async for piece in self._pieces():
            rows += len(piece)
            await asyncio.to_thread(checker.take, piece)
        return rows, checker.conclusion()[:100]

    async def _pieces(self) -> AsyncIterator[list[Document]]:
        piece: list[Document] = []
        async for row in self._entries.find().sort([("chain", ASCENDING), ("number", ASCENDING)]):
            piece.append(row)
            if len(piece) == PIECE:
                yield piece
                piece = []
        if piece:
            yield piece


def _settle(written: asyncio.Future[None], error: Exception | None) -> None:
    if written.done():
        return  # who waited has gone
    if error:
        written.set_exception(error)
        written.exception()  # seen, should nobody wait for it any more
    else:
        written.set_result(None)
