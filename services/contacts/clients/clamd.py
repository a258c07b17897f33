"""ClamAV's daemon over TCP: the command INSTREAM (https://docs.clamav.net/manual/Usage/Scanning.html#clamd)."""

import asyncio
import struct
from collections.abc import AsyncIterator

from services.contacts.handlers.attaching import ScannerAway

SECONDS = 60.0
"""A scan of ten megabytes takes some seconds; who waits longer waits for nobody."""


class Clamd:
    """A scanner. Each document has a connection of its own."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    async def found(self, chunks: AsyncIterator[bytes]) -> str | None:
        """What was found in the bytes, by its name; None: nothing. Raises ScannerAway."""
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection(self.host, self.port)
                try:
                    writer.write(b"zINSTREAM\0")
                    async for chunk in chunks:
                        writer.write(struct.pack("!I", len(chunk)) + chunk)
                        await writer.drain()
                    writer.write(struct.pack("!I", 0))
                    await writer.drain()
                    answer = (await reader.readuntil(b"\0")).rstrip(b"\0").decode(errors="replace").strip()
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ScannerAway(type(error).__name__) from error
        if answer.endswith(" FOUND"):
            return answer.removeprefix("stream:").removesuffix("FOUND").strip()
        if not answer.endswith("OK"):
            raise ScannerAway("refused")
        return None
