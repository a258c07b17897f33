"""The platform as a stranger sees it: its public HTTP APIs, read page by page."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from demo.ledger.campaign import Campaign
from demo.ledger.compare import Holdings
from demo.unfinished import Unfinished

PAGE = 1000
POLL = 0.1
LOOK_SECONDS = 300.0
JSON = dict[str, Any]


class Refused(Unfinished):
    """An answer other than the one that was asked for."""

    def __init__(self, asked: str, status: int, answer: str) -> None:
        super().__init__(f"{asked}: {status} {answer[:2000]}")
        self.status = status


class Platform:
    """One base URL and one key."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}"}
        self._timeout = aiohttp.ClientTimeout(total=120)

    async def __aenter__(self) -> Self:
        self.session = aiohttp.ClientSession(timeout=self._timeout, connector=aiohttp.TCPConnector(limit=16))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()

    async def get(self, path: str, **params: str | int) -> JSON:
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, body: JSON | None = None) -> JSON:
        return await self._ask("POST", path, json=body)

    async def look(self, name: str, path: str, **params: str | int) -> JSON:
        """Ask for a look through the base, wait until it has ended, and read what it found. One that is under way may have
        begun before what it is to find was there: it is waited for, and then another is asked for.
        """
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                run = await self._begun(path)
                while run["state"] == "running":
                    await asyncio.sleep(POLL)
                    run = await self.get(f"/v1/looks/{name}")
        except TimeoutError as error:
            raise Unfinished(f"the look {name} has not ended within {LOOK_SECONDS:.0f} s") from error
        if run["state"] != "done":
            raise Unfinished(f"the look {name} was {run['state']}: {run['error']}")
        return await self.get(path, **params)

    async def _begun(self, path: str) -> JSON:
        while True:
            try:
                return await self.post(path)
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
            await asyncio.sleep(POLL)

    async def put(self, path: str, body: JSON) -> JSON:
        return await self._ask("PUT", path, json=body)

    async def _ask(self, method: str, path: str, **how: Any) -> JSON:
        async with self.session.request(method, self.base_url + path, headers=self._headers, **how) as response:
            body = await response.read()
            if response.status >= 300:
                raise Refused(f"{method} {path}", response.status, body.decode(errors="replace"))
            answer: JSON = orjson.loads(body) if body else {}
            return answer

    async def pages(self, path: str, **params: str | int) -> AsyncIterator[list[JSON]]:
        cursor: str | None = ""
        while cursor is not None:
            after = {"cursor": cursor} if cursor else {}
            page = await self.get(path, limit=PAGE, **params, **after)
            yield page["items"]
            cursor = page.get("next")

    async def every(self, path: str, **params: str | int) -> list[JSON]:
        return [item async for page in self.pages(path, **params) for item in page]

    async def holdings(self, rejected: Counter[str]) -> Holdings:
        """All that the ledger is to judge; `rejected` is what the senders were told over HTTP."""
        recorded = await self.get("/v1/interactions/summary")
        contacts = await self.get("/v1/contacts/summary")
        return Holdings(
            customers=list(await self.every("/v1/customers")),
            orders=list(await self.every("/v1/orders")),
            scores=list(await self.every("/v1/scores", sort="customer")),
            interactions=recorded["interactions"],
            contract_events=recorded["contracts"],
            sales=await self.get("/v1/orders/summary"),
            viewed=await self.get("/v1/customers/summary"),
            duplicates={"contacts": contacts["duplicates"], "interactions": recorded["duplicates"]},
            dead_letters=await self.dead_letters(),
            rejected=rejected,
        )

    async def dead_letters(self) -> Counter[str]:
        return Counter(letter["reason"] for letter in await self.every("/v1/dead-letters"))

    async def campaign(self, campaign_id: str) -> Campaign:
        effect = await self.get(f"/v1/campaigns/{campaign_id}/effect")
        return Campaign(campaign_id, list(await self.every(f"/v1/campaigns/{campaign_id}/customers")), effect)
