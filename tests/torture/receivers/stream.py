"""Follows a channel's stream of server-sent events, for ever and from where it was."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle

import aiohttp

from demo.sse import events
from tests.torture.receivers.records import Notes

QUIET_SECONDS = 20.0
"""Without a byte for so long, the connection is taken for dead; pings come more often."""
PAUSE = 0.3


class Follower:
    """One stream channel. Some instance of sync answers at each of the addresses."""

    def __init__(self, channel: str, urls: Sequence[str], key: str, notes: Notes) -> None:
        self.channel, self.urls, self.notes = channel, cycle(urls), notes
        self.headers = {"authorization": f"Bearer {key}", "accept": "text/event-stream"}
        self.last_id = ""
        self.connections = 0
        self._owed: list[str] = []
        """Erasures and their customers of whom the platform waits to hear from us, as they stand in its paths."""
        self.hung_up = asyncio.Event()
        """Set to hang up, as a client does that restarts."""

    async def acknowledge(self) -> None:
        """For ever: say of whom nothing is kept any more. What is not heard is said again."""
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout, headers=self.headers) as session:
            while True:
                for owed in list(self._owed):
                    with suppress(aiohttp.ClientError, TimeoutError):
                        url = next(self.urls).removesuffix("/stream") + f"/erasures/{owed}"
                        async with session.put(url) as response:
                            response.raise_for_status()
                        self._owed.remove(owed)
                await asyncio.sleep(PAUSE)

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=QUIET_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                following = asyncio.create_task(self._follow(session, next(self.urls)))
                hanging_up = asyncio.create_task(self.hung_up.wait())
                try:
                    await asyncio.wait([following, hanging_up], return_when=asyncio.FIRST_COMPLETED)
                finally:
                    following.cancel()
                    hanging_up.cancel()
                    await asyncio.gather(following, hanging_up, return_exceptions=True)
                self.hung_up.clear()
                await asyncio.sleep(PAUSE)

    async def _follow(self, session: aiohttp.ClientSession, url: str) -> None:
        resume = {"last-event-id": self.last_id} if self.last_id else {}
        async with session.get(url, headers=self.headers | resume) as response:
            response.raise_for_status()
            self.connections += 1
            async for event in events(response.content.iter_any(), self.last_id):
                if event.name == "customer":
                    body = event.data.encode()
                    self.notes.take(self.channel, time.monotonic(), "", body, signed=True, taken=True)
                    told = json.loads(body)
                    if erasure := told.get("erased"):
                        self._owed.append(f"{erasure}/customers/{told['customer_id']}")
                self.last_id = event.id
