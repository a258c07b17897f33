"""The platform's public HTTP APIs, as a stranger with a key reads them."""

from __future__ import annotations

import asyncio
import json
from types import TracebackType
from typing import Any, Self

import aiohttp

Document = dict[str, Any]
PAGE = 1000
PATIENCE = 30.0
PAUSE = 0.3


class Refused(Exception):
    """An answer other than the one that was asked for, and not for want of patience."""


class Public:
    """One base URL and one key. What fails for the moment is asked again for a while."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=60))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def get(self, path: str, **params: str | int) -> Document:
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: Document) -> Document:
        return await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, **how: Any) -> Document:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                async with self.session.request(method, self.base_url + path, **how) as response:
                    status, body = response.status, await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                status, body = 503, repr(error).encode()
            if status < 300:
                answer: Document = json.loads(body) if body else {}
                return answer
            if status < 500 and status not in {401, 429}:
                raise Refused(f"{method} {path}: {status} {body[:1000]!r}")
            if asyncio.get_running_loop().time() > deadline:
                raise Refused(f"{method} {path}: still {status} {body[:1000]!r}")
            await asyncio.sleep(PAUSE)

    async def every(self, path: str, **params: str | int) -> list[Document]:
        items: list[Document] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await self.get(path, limit=PAGE, **params, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("next")
        return items

    async def views(self) -> dict[str, Document]:
        return {view["customer_id"]: view for view in await self.every("/v1/customers")}
