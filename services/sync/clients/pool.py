"""Connections to receivers, kept open for the next delivery, and opened to public addresses only."""

from __future__ import annotations

import asyncio
import ssl
from typing import NamedTuple

from services.sync.clients.connection import Connection, Disconnected, Reply
from services.sync.clients.names import Names, NoSuchName
from services.sync.domain.addresses import is_public

AT_ONCE = 800
"""Requests under way, of all channels together; each takes a file descriptor."""
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 15.0
"""Receivers close what is idle, and ever so often just when we begin to use it again."""
TRIED_ADDRESSES = 3


class NotPublic(OSError):
    """The name leads into a network that webhooks must not reach."""


class Unreachable(OSError):
    """There is no connection to be had."""


class Origin(NamedTuple):
    host: str
    port: int
    secure: bool


class Pool:
    """Made in the event loop that sends. One for all channels; how many deliveries of a channel are under way is its
    worker's business.
    """

    def __init__(self, *, allow_private: bool, at_once: int = AT_ONCE) -> None:
        self.allow_private = allow_private
        self._loop = asyncio.get_running_loop()
        self._idle: dict[Origin, list[Connection]] = {}
        self._room = asyncio.Semaphore(at_once)
        self._names = Names()
        self._tls = ssl.create_default_context()
        self._sweeping: asyncio.TimerHandle | None = None

    async def send(self, origin: Origin, request: bytes, seconds: float) -> Reply:
        """Raises TimeoutError, NotPublic, Unreachable and what a connection raises.

        The receiver's time begins when there is room for the request: others that hang are not its fault.
        """
        async with self._room:
            deadline = self._loop.time() + seconds
            if (kept := self._take(origin)) is not None:
                try:
                    return await self._ask(origin, kept, request, deadline)
                except Disconnected:
                    if kept.touched:
                        raise
                    # It was given up while nobody used it: that says nothing about the receiver.
            fresh = await self._open(origin, deadline - self._loop.time())
            return await self._ask(origin, fresh, request, deadline)

    async def _ask(self, origin: Origin, connection: Connection, request: bytes, deadline: float) -> Reply:
        reply = await connection.ask(request, deadline)
        if connection.idle:
            self._idle.setdefault(origin, []).append(connection)
            if self._sweeping is None:
                self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)
        return reply

    def _take(self, origin: Origin) -> Connection | None:
        """The connection that was used last."""
        idle = self._idle.get(origin, ())
        while idle:
            connection = idle.pop()
            if connection.idle:
                return connection
        return None

    def _sweep(self) -> None:
        """Close what has been idle for long."""
        self._sweeping = None
        for origin, connections in list(self._idle.items()):
            kept = [c for c in connections if c.idle and self._loop.time() - c.idle_since < IDLE_SECONDS]
            for connection in set(connections) - set(kept):
                connection.close()
            self._idle[origin] = kept
            if not kept:
                del self._idle[origin]
        if self._idle:
            self._sweeping = self._loop.call_later(IDLE_SECONDS, self._sweep)

    async def _open(self, origin: Origin, seconds: float) -> Connection:
        """Connects to the very addresses that were judged, so a name cannot lead elsewhere a moment later."""
        seconds = min(seconds, CONNECT_SECONDS)
        async with asyncio.timeout(seconds):
            addresses = await public_addresses(self._names, origin.host, origin.port, allow_private=self.allow_private)
            for address in addresses[:-1]:
                try:
                    async with asyncio.timeout(seconds / len(addresses)):
                        return await self._connect(origin, address)
                except OSError:  # TimeoutError is one
                    continue
            return await self._connect(origin, addresses[-1])

    async def _connect(self, origin: Origin, address: str) -> Connection:
        tls, name = (self._tls, origin.host) if origin.secure else (None, None)
        try:
            _, connection = await self._loop.create_connection(
                Connection, address, origin.port, ssl=tls, server_hostname=name
            )
        except TimeoutError:
            raise
        except OSError as error:
            raise Unreachable(*error.args) from error
        return connection

    def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in [connection for connections in self._idle.values() for connection in connections]:
            connection.close()
        self._idle.clear()
        self._names.close()


async def public_addresses(names: Names, host: str, port: int, *, allow_private: bool = False) -> list[str]:
    """All addresses of a host. Raises NotPublic if any of them is not public, Unreachable if there are none."""
    try:
        addresses = await names.addresses(host, port)
    except NoSuchName as error:
        raise Unreachable(*error.args) from error
    if not allow_private and not all(is_public(address) for address in addresses):
        raise NotPublic
    return addresses[:TRIED_ADDRESSES]
