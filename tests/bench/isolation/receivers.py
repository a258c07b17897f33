"""Receivers of webhooks that are ill, each in its way. The one that is well is growth's."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

HANGS_SECONDS = 30.0
RETRY_AFTER = 5
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def says_429(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await answer_each(reader, writer, f"429 Too Many Requests\r\nretry-after: {RETRY_AFTER}")


async def says_503(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await answer_each(reader, writer, "503 Service Unavailable")


async def answer_each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, status: str) -> None:
    while await request(reader):
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode())
        await writer.drain()


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes the request, and says nothing for longer than anybody waits."""
    await request(reader)
    await asyncio.sleep(HANGS_SECONDS)


async def trickles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A good answer, one byte a second."""
    await request(reader)
    for byte in b"HTTP/1.1 204 No Content\r\nserver: in no hurry at all\r\n\r\n":
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def request(reader: asyncio.StreamReader) -> bytes:
    """A request's head and body; empty when the other side has gone."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


ILL: dict[str, Handler | None] = {
    "refused": None,
    "429": says_429,
    "503": says_503,
    "hanging": hangs,
    "1 byte/s": trickles,
}
"""Ways of being dead or slow; where nobody listens there is no handler."""


@asynccontextmanager
async def ill(kinds: Sequence[str]) -> AsyncIterator[list[str]]:
    """Receivers of these kinds; their addresses, in this order."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(one(kind)) for kind in kinds]


@asynccontextmanager
async def one(kind: str) -> AsyncIterator[str]:
    handler = ILL[kind]
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))  # bound, so that nobody else gets the port, and not listening: refused
        address = f"http://127.0.0.1:{place.getsockname()[1]}/"
        if handler is None:
            yield address
            return
        talks: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(guarded(handler, talks), sock=place, limit=4 * 1024 * 1024)
        try:
            yield address
        finally:
            server.close()
            for talk in talks:
                talk.cancel()
            await asyncio.gather(*talks, return_exceptions=True)


def guarded(handler: Handler, talks: set[asyncio.Task[None]]) -> Handler:
    """Ends its connection whatever happens, and can be ended with it."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            # Cancelled we only are by `one`; asyncio 3.11 would report it as an error.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handler(reader, writer)
        finally:
            talks.discard(task)
            writer.close()

    return talk
