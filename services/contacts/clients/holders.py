"""The other services, asked what they hold on a customer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import orjson
import structlog
from pydantic import ValidationError

from services.contacts.handlers.disclosing import NoAnswer
from shared.held import HeldPage

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=2)
"""Of one page: the longest question a service asks its database may take so long."""
PATIENCE = (0.2, 1.0)
"""Seconds before another try, should the service just be starting again."""
ITEMS_A_PAGE = 500


class Holder:
    """`GET /v1/customers/{id}/held` of one service."""

    def __init__(self, service: str, url: str, key: str, patience: Sequence[float] = PATIENCE) -> None:
        self.service = service
        self._url = url.rstrip("/")
        self._key = key
        self._patience = patience
        self._http: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._http = aiohttp.ClientSession(timeout=TIMEOUT)

    async def close(self) -> None:
        if self._http:
            await self._http.close()

    async def pages(self, customers: Sequence[str], purpose: str | None) -> AsyncIterator[HeldPage]:
        """All that it holds. Raises NoAnswer; what has come till then is right, but not all."""
        cursor: str | None = None
        while True:
            page = await self._page(customers, purpose, cursor)
            yield page
            if page.next is None:
                return
            if page.next == cursor:
                raise NoAnswer("it goes round in circles")
            cursor = page.next

    async def _page(self, customers: Sequence[str], purpose: str | None, cursor: str | None) -> HeldPage:
        for pause in self._patience:
            try:
                return await self._ask(customers, purpose, cursor)
            except NoAnswer:
                await asyncio.sleep(pause)
        return await self._ask(customers, purpose, cursor)

    async def _ask(self, customers: Sequence[str], purpose: str | None, cursor: str | None) -> HeldPage:
        assert self._http, "open it first"
        first, *also = customers
        asked = [("limit", str(ITEMS_A_PAGE)), *(("also", one) for one in also)]
        asked += [("cursor", cursor)] if cursor else []
        try:
            url = f"{self._url}/v1/customers/{first}/held"
            async with self._http.get(url, params=asked, headers=self._headers(purpose)) as response:
                status, answer = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoAnswer("it cannot be reached") from error
        if status != 200:
            raise NoAnswer(f"it answered {status}")
        return _read(answer)

    def _headers(self, purpose: str | None) -> Mapping[str, str]:
        told: dict[str, Any] = {"authorization": f"Bearer {self._key}"}
        correlation = structlog.contextvars.get_contextvars().get("correlation_id")
        if correlation:
            told["x-correlation-id"] = correlation
        return told | ({"x-purpose": purpose} if purpose else {})


def _read(answer: bytes) -> HeldPage:
    try:
        return HeldPage.model_validate(orjson.loads(answer))
    except (ValueError, ValidationError) as error:
        raise NoAnswer("its answer is not what it promises") from error
