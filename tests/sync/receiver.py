"""A webhook receiver as a channel would write it: it verifies, remembers, and answers what the test wants."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
from aiohttp import web
from standardwebhooks import Webhook

Answering = Callable[[dict[str, Any]], web.Response]


class Receiver:
    def __init__(self) -> None:
        self.secret: str | None = None
        self.answer: Answering = lambda _: web.Response(status=204)
        self.held_back: asyncio.Event | None = None
        self.requests = 0
        self.bodies: list[dict[str, Any]] = []
        """What was taken, in order."""
        self.ids: list[str] = []
        """The ids of all requests, in order."""
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        content = await request.read()
        self.requests += 1
        self.ids.append(request.headers["webhook-id"])
        if self.secret:
            Webhook(self.secret).verify(content, dict(request.headers))
        if self.held_back:
            await self.held_back.wait()
        body = orjson.loads(content)
        response = self.answer(body)
        if response.status < 300:
            self.bodies.append(body)
        return response

    def versions(self, customer_id: str) -> list[int]:
        return [body["version"] for body in self.bodies if body["customer_id"] == customer_id]

    def times(self) -> Counter[str]:
        return Counter(body["customer_id"] for body in self.bodies)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hooks", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"http://127.0.0.1:{port}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()
