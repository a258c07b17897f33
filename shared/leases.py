"""What only one does at a time on the whole platform: leases that are renewed for as long as their holder lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pymongo import ReturnDocument

from shared import mongo
from shared.mongo import Database

LEASE_SECONDS = 60.0
"""After so long another takes over from a holder that has died. Three missed renewals, far beyond any pause of a process."""
RENEWALS = 3
"""In the time that a lease lasts."""


class UnderWay(Exception):
    """Another instance, or this one, is at it already. `what`: at what, as the beginning of a sentence."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class LeaseLost(Exception):
    """The lease ran out before the work was done: another may be at it now."""


class Lease(Protocol):
    async def claim(self, holder: str, seconds: float) -> bool:
        """Become, or stay, the holder, for so long from now."""
        ...

    async def release(self, holder: str) -> None:
        """Nothing, if another holds it."""
        ...


@asynccontextmanager
async def leased(lease: Lease, holder: str, what: str, seconds: float = LEASE_SECONDS) -> AsyncIterator[None]:
    """Hold the lease while the body runs. Raises UnderWay if another holds it.

    The body is cancelled, and LeaseLost raised, once the lease could not be renewed in time; a thread that it waits for
    runs on, and what it finds is dropped.
    """
    asked = asyncio.get_running_loop().time()
    if not await lease.claim(holder, seconds):
        raise UnderWay(what)
    try:
        async with asyncio.timeout_at(asked + seconds) as held:
            renewing = asyncio.create_task(_renew(lease, holder, seconds, held))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)
    except TimeoutError as error:
        if held.expired():
            raise LeaseLost from error
        raise
    finally:
        await lease.release(holder)


async def _renew(lease: Lease, holder: str, seconds: float, held: asyncio.Timeout) -> None:
    """A renewal that fails with an error is the last: the lease then runs out."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(seconds / RENEWALS)
        asked = loop.time()
        if not await lease.claim(holder, seconds):
            held.reschedule(asked)
            return
        held.reschedule(asked + seconds)


@dataclass
class OwnLease:
    """Within this process, which needs no clock: it dies with all that it holds."""

    held_by: str | None = None

    async def claim(self, holder: str, seconds: float) -> bool:  # noqa: ARG002 - as long as the process lives
        self.held_by = self.held_by or holder
        return self.held_by == holder

    async def release(self, holder: str) -> None:
        if self.held_by == holder:
            self.held_by = None

    async def holder(self) -> str | None:
        return self.held_by


class MongoLease:
    """One lease, by its name, in the service's `notes`. The database's clock judges, so the instances' need not agree."""

    def __init__(self, database: Database, name: str) -> None:
        self._notes = database["notes"]
        self._id = name

    async def claim(self, holder: str, seconds: float) -> bool:
        """Become, or stay, the holder."""
        length = timedelta(seconds=seconds) // timedelta(milliseconds=1)
        free = {"$or": [{"$eq": ["$holder", {"$literal": holder}]}, mongo.lapsed("$until", length)]}
        until = {"$add": ["$$NOW", length]}
        lease = {
            "holder": {"$cond": [free, {"$literal": holder}, "$holder"]},
            "until": {"$cond": [free, until, "$until"]},
        }
        after = await self._notes.find_one_and_update(
            {"_id": self._id}, [{"$set": lease}], upsert=True, return_document=ReturnDocument.AFTER
        )
        return after is not None and after["holder"] == holder

    async def holder(self) -> str | None:
        """None as soon as the lease has run out."""
        found = await self._notes.find_one({"_id": self._id, "$expr": {"$gte": ["$until", "$$NOW"]}})
        return str(found["holder"]) if found else None

    async def release(self, holder: str) -> None:
        await self._notes.delete_one({"_id": self._id, "holder": holder})
