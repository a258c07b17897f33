"""A receiver of webhooks that takes all at once, and notes when what has come."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiohttp import web

MARK = re.compile(rb'"mark-(\d+)"')


class Arrivals:
    """When each mark has come first."""

    def __init__(self) -> None:
        self.at: dict[int, float] = {}
        self.deliveries = 0

    def note(self, body: bytes, now: float) -> None:
        self.deliveries += 1
        for mark in MARK.findall(body):
            self.at.setdefault(int(mark), now)

    async def all_of(self, marks: Sequence[int], within: float) -> list[int]:
        """Wait for these marks; those that have not come in time."""
        deadline = time.monotonic() + within
        while missing := [mark for mark in marks if mark not in self.at]:
            if time.monotonic() > deadline:
                return missing
            await asyncio.sleep(0.05)
        return []


@asynccontextmanager
async def healthy() -> AsyncIterator[tuple[str, Arrivals]]:
    """A receiver that takes all at once, and its address."""
    arrivals = Arrivals()

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        arrivals.note(body, time.monotonic())
        return web.Response(status=204)

    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/", arrivals
    finally:
        await runner.cleanup()
