"""Takes webhooks, verifies them, and answers as its present manner has it."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web

from tests.torture.receivers.behaviour import RETRY_AFTER, SLOW_SECONDS, Behaviour, Manner
from tests.torture.receivers.records import Notes
from tests.torture.receivers.signature import is_signed


class Hooks:
    """All webhook channels of a run."""

    def __init__(self, secrets: dict[str, str], behaviours: dict[str, Behaviour], notes: Notes) -> None:
        self.secrets, self.behaviours, self.notes = secrets, behaviours, notes

    async def receive(self, request: web.Request) -> web.StreamResponse:
        channel, arrived_at = request.match_info["channel"], time.monotonic()
        body, message_id = await request.read(), request.headers.get("webhook-id", "")
        signed = is_signed(self.secrets[channel], request.headers, body)
        if not signed:
            self.notes.refused(channel, arrived_at, message_id, body, signed=False)
            return web.Response(status=401, text="signature does not verify")
        match self.behaviours[channel].next():
            case Manner.ERROR:
                self.notes.refused(channel, arrived_at, message_id, body, signed=True)
                return web.Response(status=500)
            case Manner.BUSY:
                self.notes.refused(channel, arrived_at, message_id, body, signed=True)
                return web.Response(status=503, headers={"retry-after": str(RETRY_AFTER)})
            case Manner.LOST:
                self.notes.take(channel, arrived_at, message_id, body, signed=True, taken=False)
                assert request.transport is not None
                request.transport.abort()
                return web.Response(status=204)
            case Manner.SLOW:
                await asyncio.sleep(SLOW_SECONDS)
        self.notes.take(channel, arrived_at, message_id, body, signed=True, taken=True)
        return web.Response(status=204)
