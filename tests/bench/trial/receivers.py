"""Two channels in a process of their own: a webhook server and a listener to a stream, both as cheap as possible.

Standard output is JSON lines: `{"ready": true}`, then how much has arrived, several times a second. Each delivery is
written to a file with its time; a sample of the webhooks' signatures is verified.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import hmac
import os
import signal
import time
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from tests.bench.trial.arrivals import CHANNELS, read_body, written
from tests.talking import tell

REPORT_SECONDS = 0.2
VERIFIED = 50
"""One in so many webhooks."""
RECONNECT_SECONDS = 0.1
TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


class Received:
    """All deliveries so far, of both channels."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._known: tuple[dict[bytes, int], ...] = tuple({} for _ in CHANNELS)
        self.events = [0] * len(CHANNELS)
        """Orders and interactions that the channel knows of."""
        self.deliveries = [0] * len(CHANNELS)
        self.place = ""
        """Where to resume the stream."""
        self.wrong_signatures = self.reconnects = self.backwards = 0

    def take(self, body: bytes, channel: int) -> None:
        arrival = read_body(body, channel, time.monotonic())
        known, events = self._known[channel], arrival.orders + arrival.interactions
        before = known.get(arrival.customer_id, 0)
        self.backwards += events < before
        known[arrival.customer_id] = events
        self.events[channel] += events - before
        self.deliveries[channel] += 1
        self._file.write(written(arrival))

    def close(self) -> None:
        self._file.close()

    def report(self) -> dict[str, Any]:
        self._file.flush()
        return {
            "at": time.monotonic(),
            "events": self.events,
            "deliveries": self.deliveries,
            "wrong_signatures": self.wrong_signatures,
            "reconnects": self.reconnects,
            "backwards": self.backwards,
        }


class Hooks(asyncio.Protocol):
    """HTTP/1.1 as our own sender speaks it: keep-alive, Content-Length, one request after the other."""

    def __init__(self, received: Received, secret: bytes) -> None:
        self._received, self._secret = received, secret
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while (end := self._rest.find(b"\r\n\r\n")) >= 0:
            head, begin = self._rest[:end], end + 4
            length = int(header(head, b"content-length"))
            if len(self._rest) < begin + length:
                return
            body, self._rest = self._rest[begin : begin + length], self._rest[begin + length :]
            self._received.take(body, 0)
            if self._received.deliveries[0] % VERIFIED == 0 and not signed(head, body, self._secret):
                self._received.wrong_signatures += 1
            self._transport.write(TAKEN)  # type: ignore[attr-defined]


def header(head: bytes, name: bytes) -> bytes:
    begin = head.lower().find(b"\r\n" + name + b":")
    if begin < 0:
        raise ValueError(f"no {name.decode()}")
    begin += len(name) + 3
    end = head.find(b"\r\n", begin)
    return head[begin : end if end >= 0 else len(head)].strip()


def signed(head: bytes, body: bytes, secret: bytes) -> bool:
    """Standard Webhooks, version 1: HMAC-SHA256 over id, time and body."""
    content = header(head, b"webhook-id") + b"." + header(head, b"webhook-timestamp") + b"." + body
    expected = b"v1," + base64.b64encode(hmac.digest(secret, content, "sha256"))
    return expected in header(head, b"webhook-signature").split(b" ")


async def listen(url: str, key: str, received: Received, connected: asyncio.Event) -> None:
    """The stream, again and again from where it was."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=2**20) as session:
        while True:
            headers = {"authorization": f"Bearer {key}"} | ({"last-event-id": received.place} if received.place else {})
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(url, headers=headers) as response:
                    if response.status == 200:
                        connected.set()
                        await follow(response.content, received)
            received.reconnects += connected.is_set()
            await asyncio.sleep(RECONNECT_SECONDS)


async def follow(content: aiohttp.StreamReader, received: Received) -> None:
    rest = b""
    async for piece in content.iter_any():
        *blocks, rest = (rest + piece).split(b"\r\n\r\n")
        for block in blocks:
            if b"data:" in block:
                received.take(block, 1)
                received.place = block.partition(b"id: ")[2].partition(b"\r\n")[0].decode()


async def work(asked: argparse.Namespace) -> None:
    received, connected, stop = Received(asked.file), asyncio.Event(), asyncio.Event()
    secret = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(lambda: Hooks(received, secret), "127.0.0.1", asked.port)
    listening = asyncio.create_task(listen(asked.stream, os.environ["STREAM_KEY"], received, connected))
    await connected.wait()
    gc.collect()
    gc.freeze()
    tell(ready=True)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), REPORT_SECONDS)
        if listening.done():
            listening.result()
        tell(**received.report())
    listening.cancel()
    server.close()
    received.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--stream", required=True, help="URL")
    parser.add_argument("--file", type=Path, required=True)
    uvloop.run(work(parser.parse_args()))


if __name__ == "__main__":
    main()
