"""A connection to a broker that was reset, as aiokafka expects it: a `KafkaConnectionError`, after which it connects anew.

uvloop refuses to write to a transport that has just been closed with a RuntimeError, which aiokafka does not know. Its
tasks end on it: a consumer stays in its group, keeps its partitions and never fetches again.
"""

from __future__ import annotations

from typing import Any

from aiokafka import conn
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """aiokafka's, but for that."""

    def send(self, request: Any, expect_response: bool = True) -> Any:
        try:
            return super().send(request, expect_response)
        except RuntimeError as error:
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(f"connection to {self._host}:{self._port} broken: {error}") from error


def install() -> None:
    """Let every client that this process connects from now on use it."""
    conn.AIOKafkaConnection = Connection
