"""What only one does at a time on the whole platform: leases that are renewed for as long as their holder lives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

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
