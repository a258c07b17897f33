"""How PyMongo's asyncio API waits for a server or for a connection, mended: cancelled, it could lock itself out for ever, and left
sockets open (pymongo 4.20).

It waits with `asyncio.wait_for`, which up to Python 3.11 runs the waiting in a task of its own. Cancelled at the moment
its time is over, the caller goes on without the lock that it believes to hold, and that task takes the lock when nobody
is left to give it back: from then on every call of that client waits for ever. A probe's time-out or a client that hangs
up is enough, while the database is away.

And where it is cancelled while it connects, as its watches of the servers are when a client is closed, nobody closes the
socket: only errors do.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pymongo import lock, pool_shared
from pymongo.asynchronous import pool, topology

USERS = (lock, pool, topology)
_connect = pool_shared._async_create_connection  # noqa: SLF001


async def cond_wait(condition: Any, seconds: float | None) -> bool:
    """Wait for the condition in the caller's own task, which has the lock again however the waiting ends."""
    try:
        async with asyncio.timeout(seconds):
            return bool(await condition.wait())
    except TimeoutError:
        return False


async def connect(address: Any, options: Any) -> Any:
    """The driver's own, in a task that nobody cancels: the driver's time-outs end it, and what comes too late is closed."""
    connecting = asyncio.create_task(_connect(address, options))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        connecting.add_done_callback(_close)
        raise


def _close(connecting: asyncio.Task[Any]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


def mend() -> None:
    """Let every client of this process wait so."""
    for module in USERS:
        setattr(module, "_async_cond_wait", cond_wait)  # noqa: B010 - it is not ours to be seen by
    setattr(pool_shared, "_async_create_connection", connect)  # noqa: B010
