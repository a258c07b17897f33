"""How PyMongo's asyncio API waits for a server, a connection or an answer, mended: cancelled, it could lock itself out for ever, and
left sockets open; and it ran three tasks a command (pymongo 4.20).

It waits with `asyncio.wait_for`, which up to Python 3.11 runs the waiting in a task of its own. Cancelled at the moment
its time is over, the caller goes on without the lock that it believes to hold, and that task takes the lock when nobody
is left to give it back: from then on every call of that client waits for ever. A probe's time-out or a client that hangs
up is enough, while the database is away.

And where it is cancelled while it connects, as its watches of the servers are when a client is closed, nobody closes the
socket: only errors do.

Each command was handed to the socket in a task, and its answer awaited in a second one beside a third, which asked twice a second
whether it was given up. Here the caller's own task does both, and a timer asks.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from pymongo import _csot, lock, pool_shared
from pymongo.asynchronous import pool, topology
from pymongo.common import MAX_MESSAGE_SIZE
from pymongo.errors import ProtocolError, _OperationCancelled
from pymongo.message import _UNPACK_REPLY

LOOK_SECONDS = 0.5
"""How often a wait for an answer looks whether it is to end without one, as the driver's own does."""
GIVEN_UP = "operation cancelled"
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


async def send(protocol: Any, message: bytes) -> None:
    """Hand a message to the socket, which never waits."""
    await protocol.write(message)


async def receive(connection: Any, request_id: int | None, max_message_size: int = MAX_MESSAGE_SIZE) -> Any:
    """The next message of the connection. Raises TimeoutError, and what the driver raises where the server is given up meanwhile;
    as after a cancellation, the connection is closed then.
    """
    if connection.cancel_context.cancelled:
        raise _OperationCancelled(GIVEN_UP)
    waiting = _Waiting(connection)
    try:
        data, op_code = await connection.conn.get_conn.read(request_id, max_message_size)
    finally:
        waiting.end()
    if op_code not in _UNPACK_REPLY:
        raise ProtocolError(f"Got opcode {op_code!r} but expected {_UNPACK_REPLY.keys()!r}")
    return _UNPACK_REPLY[op_code](data)


class _Waiting:
    """For an answer: fails it when its time is over, or when the driver has given the server up."""

    def __init__(self, connection: Any) -> None:
        self._given_up = connection.cancel_context
        self._protocol = connection.conn.get_conn
        timeout = self._protocol.gettimeout
        self._until = _csot.get_deadline() if _csot.get_timeout() else time.monotonic() + (timeout or math.inf)
        self._loop = asyncio.get_running_loop()
        self._look_again()

    def _look_again(self) -> None:
        left = max(0.0, self._until - time.monotonic())
        self._timer = self._loop.call_later(min(left, LOOK_SECONDS), self._look)

    def _look(self) -> None:
        if self._given_up.cancelled:
            self._protocol.close(_OperationCancelled(GIVEN_UP))
        elif time.monotonic() >= self._until:
            self._protocol.close(TimeoutError("timed out"))
        else:
            self._look_again()

    def end(self) -> None:
        self._timer.cancel()


def mend() -> None:
    """Let every client of this process wait so."""
    for module in USERS:
        setattr(module, "_async_cond_wait", cond_wait)  # noqa: B010 - it is not ours to be seen by
    setattr(pool_shared, "_async_create_connection", connect)  # noqa: B010
    setattr(pool, "async_sendall", send)  # noqa: B010
    setattr(pool, "async_receive_message", receive)  # noqa: B010
