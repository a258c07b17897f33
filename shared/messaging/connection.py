"""Connections to brokers, where aiokafka 0.14 errs: one that was reset, and one whose client is cancelled as it starts.

uvloop refuses to write to a transport that has just been closed with a RuntimeError, which aiokafka does not know. Its
tasks end on it: a consumer stays in its group, keeps its partitions and never fetches again. Here it is a
`KafkaConnectionError`, after which it connects anew.

A client that is cancelled while it asks its first broker who the others are knows nothing of that connection yet, so that
`stop` leaves it open: a service that is stopped as soon as it was started would leave it to the collector.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any
from weakref import WeakSet

from aiokafka import conn
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_made: ContextVar[WeakSet[Connection] | None] = ContextVar("made", default=None)
"""By whoever starts a client, until it knows of them."""
_bootstrap = AIOKafkaClient.bootstrap


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """aiokafka's, but for that."""

    async def connect(self) -> Any:
        if (made := _made.get()) is not None:
            made.add(self)
        return await super().connect()

    def send(self, request: Any, expect_response: bool = True) -> Any:
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection to {self._host}:{self._port} broken: {error}") from error


async def bootstrap(client: AIOKafkaClient) -> None:
    """aiokafka's, but that nothing stays open if it does not come to its end."""
    made = WeakSet[Connection]()
    before = _made.set(made)
    try:
        await _bootstrap(client)
    except BaseException:
        for connection in made:
            connection.close()
        raise
    finally:
        _made.reset(before)


def install() -> None:
    """Let every client that this process connects from now on use it."""
    conn.AIOKafkaConnection = Connection
    AIOKafkaClient.bootstrap = bootstrap
