"""A channel's end of a stream over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import orjson

from tests.sync.running import Running
from tests.waiting import eventually


class Client:
    """A channel's end of a stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.ids: list[str] = []

    async def take(self, count: int, within: float = 15) -> list[dict[str, Any]]:
        """The next events' data."""
        bodies: list[dict[str, Any]] = []
        async with asyncio.timeout(within):
            while len(bodies) < count:
                line = (await self.response.content.readline()).rstrip(b"\r\n")
                if line.startswith(b"id: "):
                    self.ids.append(line[4:].decode())
                if line.startswith(b"data: "):
                    bodies.append(orjson.loads(line[6:]))
        return bodies

    async def ended(self, within: float = 15) -> None:
        async with asyncio.timeout(within):
            while await self.response.content.readline():
                pass


async def channel_and_key(service: Running, channel_id: str, **fields: Any) -> dict[str, str]:
    said = {"kind": "sse", "purpose": "service", "basis": "contract", "fields": ["contact.name", "sales"], **fields}
    registered = await service.send("POST", "/v1/channels", {"channel_id": channel_id, **said}, 201)
    assert registered["secret"] is None
    asked = {"name": "Calls", "kind": "channel", "scopes": ["stream:read"], "channel_id": channel_id}
    issued = await service.send("POST", "/v1/keys", asked, 201)
    bearer = {"authorization": f"Bearer {issued['key']}"}

    async def known() -> bool:
        async with service.http.get("/v1/channels/nobody/stream", headers=bearer) as response:
            return response.status == 403

    await eventually(known)
    return {**bearer, "key_id": issued["key_id"]}


@asynccontextmanager
async def listening(
    service: Running, key: dict[str, str], channel_id: str = "call-centre", query: str = "", last: str | None = None
) -> AsyncIterator[Client]:
    headers = {"authorization": key["authorization"], **({"last-event-id": last} if last else {})}
    path = f"/v1/channels/{channel_id}/stream{query}"
    async with service.http.get(path, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as response:
        assert response.status == 200, await response.text()
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Client(response)
