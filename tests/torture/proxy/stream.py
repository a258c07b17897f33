"""One direction of one connection: what is read at one end is written at the other, as the weather allows."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable

from tests.torture.proxy.weather import Weather

PIECE_BYTES = 256 * 1024
UNDERWAY_BYTES = 4 * 1024 * 1024
"""More than this is not taken in before some of it has arrived: senders feel a slow network."""
END = b""


class Sky:
    """The weather over one direction of a link, now, and a bell that rings when it changes."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self._changed = asyncio.Event()

    def turn(self, weather: Weather) -> None:
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    async def open(self) -> None:
        """Returns when nothing is cut."""
        while self.weather.cut:
            await self._changed.wait()

    async def wait(self, seconds: float) -> None:
        """So long, or until the weather changes."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return


class Stream:
    """Bytes from `reader` to `writer`. Ends with the sender's end, told to the receiver, or with either one's death."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sky: Sky,
        rng: random.Random,
        count: Callable[[int], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sky = sky
        self._rng = rng
        self._count = count
        self._underway: deque[tuple[float, bytes]] = deque()
        self._weight = 0
        self._moved = asyncio.Event()
        self._idle = True

    async def run(self) -> None:
        """Raises OSError where a connection breaks."""
        delivering = asyncio.create_task(self._deliver())
        taking = asyncio.create_task(self._take())
        try:
            done, _ = await asyncio.wait((taking, delivering), return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            taking.cancel()
            delivering.cancel()
            await asyncio.gather(taking, delivering, return_exceptions=True)

    async def _take(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            piece = await self._reader.read(PIECE_BYTES)
            if piece and self._idle and self._sky.weather.fair:
                await self._write(piece)
                continue
            self._idle = False
            self._underway.append((clock() + self._sky.weather.delay(self._rng), piece))
            self._weight += len(piece)
            self._move()
            if piece == END:
                return
            while self._weight > UNDERWAY_BYTES:
                await self._moved.wait()

    async def _deliver(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            while not self._underway:
                self._idle = True
                await self._moved.wait()
            due, piece = self._underway[0]
            if (early := due - clock()) > 0:
                await asyncio.sleep(early)
            await self._sky.open()
            if piece == END:
                self._end()
                return
            await self._by_slices(piece)
            self._underway.popleft()
            self._weight -= len(piece)
            self._move()

    async def _by_slices(self, piece: bytes) -> None:
        done = 0
        while done < len(piece):
            await self._sky.open()
            weather = self._sky.weather
            size = weather.slices or len(piece)
            if weather.bandwidth:
                size = max(1, min(size, int(weather.bandwidth / 10)))
            part = piece[done : done + size]
            await self._write(part)
            done += len(part)
            if weather.bandwidth:
                await self._sky.wait(len(part) / weather.bandwidth)
            elif weather.slices:
                await asyncio.sleep(0)

    async def _write(self, piece: bytes) -> None:
        try:
            self._writer.write(piece)
        except RuntimeError as error:  # uvloop's word for a connection that is closed
            raise ConnectionResetError(str(error)) from error
        self._count(len(piece))
        await self._writer.drain()

    def _end(self) -> None:
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()
