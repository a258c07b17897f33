"""How PyMongo's asyncio API waits for a server or for a connection, mended: it could lock itself out for ever.

It waits with `asyncio.wait_for`, which up to Python 3.11 runs the waiting in a task of its own. Cancelled at the moment
its time is over, the caller goes on without the lock that it believes to hold, and that task takes the lock when nobody
is left to give it back: from then on every call of that client waits for ever. A probe's time-out or a client that hangs
up is enough, while the database is away (pymongo 4.20).
"""

from __future__ import annotations

import asyncio
from typing import Any

from pymongo import lock
from pymongo.asynchronous import pool, topology

USERS = (lock, pool, topology)


async def cond_wait(condition: Any, seconds: float | None) -> bool:
    """Wait for the condition in the caller's own task, which has the lock again however the waiting ends."""
    try:
        async with asyncio.timeout(seconds):
            return bool(await condition.wait())
    except TimeoutError:
        return False


def mend() -> None:
    """Let every client of this process wait so."""
    for module in USERS:
        setattr(module, "_async_cond_wait", cond_wait)  # noqa: B010 - it is not ours to be seen by
