"""One link: who talks to whom, through a port of ours whose weather can be changed at any moment."""

from __future__ import annotations

import asyncio
import itertools
import random
import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from tests.torture.proxy.stream import Sky, Stream
from tests.torture.proxy.weather import FAIR, Weather

CONNECT_SECONDS = 5.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset instead of an end."""
Address = tuple[str, int]


class Link:
    """Listens for `name[0]` and connects to `name[1]`, which may be several addresses that take turns.

    An address that refuses is passed over, as a load balancer in front of instances would.
    """

    def __init__(self, name: str, targets: Sequence[Address], seed: int = 0) -> None:
        self.name = name
        self.targets = list(targets)
        self.port = 0
        self.bytes = 0
        """That have arrived, both ways."""
        self._up, self._down = Sky(FAIR), Sky(FAIR)
        self._rng = random.Random(f"{name}:{seed}")
        self._turn = itertools.count()
        self._server: asyncio.Server | None = None
        self._sockets: set[asyncio.StreamWriter] = set()
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self, port: int = 0) -> Link:
        await self._listen(port or self.port)
        return self

    async def close(self) -> None:
        await self._deafen()
        self.reset()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    # The weather

    def turn(self, up: Weather = FAIR, down: Weather = FAIR) -> None:
        """`up` goes to the target, `down` comes back. Holds for what is connected and for what connects later."""
        self._up.turn(up)
        self._down.turn(down)

    def reset(self) -> int:
        """Break all connections off with a TCP reset at both ends; new ones are welcome. Returns how many ends."""
        ends = list(self._sockets)
        for writer in ends:
            _break(writer)
        return len(ends)

    async def refuse(self) -> None:
        """Break all connections off and let none begin: the port is closed."""
        await self._deafen()
        self.reset()

    async def calm(self) -> None:
        """A fair network again."""
        self.turn()
        if self._server is None:
            await self._listen(self.port)

    @property
    def calmed(self) -> bool:
        return self._server is not None and self._up.weather.fair and self._down.weather.fair

    # Connections

    async def _listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _deafen(self) -> None:
        server, self._server = self._server, None
        if server:
            server.close()  # not awaited until closed: that would wait for the connections too
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        self._sockets.add(writer)
        try:
            await self._carry(reader, writer)
        except (OSError, asyncio.CancelledError):
            _break(writer)
        finally:
            self._sockets.discard(writer)
            self._connections.discard(task)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._reach()
        self._sockets.add(back)
        streams = (self._stream(reader, back, self._up), self._stream(there, writer, self._down))
        tasks = [asyncio.create_task(stream.run()) for stream in streams]
        try:
            await asyncio.gather(*tasks)
        except (OSError, asyncio.CancelledError):
            _break(back)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._sockets.discard(back)
            back.close()

    def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sky: Sky) -> Stream:
        return Stream(reader, writer, sky, self._rng, self._count)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The next target that takes the connection."""
        await self._up.open()
        first = next(self._turn)
        for number in range(len(self.targets)):
            host, port = self.targets[(first + number) % len(self.targets)]
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(host, port)
        raise ConnectionRefusedError(self.name)

    def _count(self, size: int) -> None:
        self.bytes += size


def _break(writer: asyncio.StreamWriter) -> None:
    """Close with a reset."""
    connection = writer.get_extra_info("socket")
    if connection is not None:  # uvloop has none any more once it is closed
        with suppress(OSError, ValueError):  # closed already, as asyncio and as uvloop put it
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
