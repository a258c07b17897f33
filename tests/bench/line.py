"""The barest HTTP client that can be trusted: keep-alive, one request at a time, answers of a known length only.

A full client costs more CPU than the service that it asks, and would be what is measured.
"""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urlsplit

LENGTH = b"\r\ncontent-length: "


class BadAnswer(Exception):
    """Not the status that was asked for, or not a form that this client reads."""


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, key: str) -> None:
        self._reader, self._writer = reader, writer
        self._rest = f" HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n".encode()

    @classmethod
    async def to(cls, base: str, key: str) -> Self:
        host = urlsplit(base).netloc
        name, _, port = host.partition(":")
        return cls(*await asyncio.open_connection(name, int(port)), host, key)

    async def get(self, path: str) -> bytes:
        return await self._ask(b"GET " + path.encode() + self._rest + b"\r\n", b"HTTP/1.1 200 ")

    async def post(self, path: str, media_type: str, body: bytes) -> bytes:
        """For what is answered with 202."""
        about = f"content-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        return await self._ask(b"POST " + path.encode() + self._rest + about + body, b"HTTP/1.1 202 ")

    async def _ask(self, request: bytes, wanted: bytes) -> bytes:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        body = await self._reader.readexactly(length_of(head))
        if not head.startswith(wanted):
            raise BadAnswer(f"{head.splitlines()[0]!r} {body[:200]!r}")
        return body

    @property
    def open(self) -> bool:
        return not self._reader.at_eof()

    def close(self) -> None:
        self._writer.close()


def length_of(head: bytes) -> int:
    """The length of the body that follows. Raises BadAnswer where it is not said."""
    lower = head.lower()
    begin = lower.find(LENGTH)
    if begin < 0:
        raise BadAnswer(f"an answer of unknown length: {head.splitlines()[0]!r}")
    begin += len(LENGTH)
    return int(lower[begin : lower.index(b"\r", begin)])


class Lines:
    """As many connections to one place as are in use at once, kept for the next use."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key
        self._idle: list[Line] = []

    async def get(self, path: str) -> bytes:
        line = self._kept() or await Line.to(self._base, self._key)
        try:
            body = await line.get(path)
        except BaseException:
            line.close()
            raise
        self._idle.append(line)
        return body

    def _kept(self) -> Line | None:
        """A connection of before. The server gives up those that nobody has used for some seconds."""
        while self._idle:
            line = self._idle.pop()
            if line.open:
                return line
            line.close()
        return None

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
