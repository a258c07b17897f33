"""What the grocer's analysts do: fit the models, look at segments, launch one campaign. Over the public APIs."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from demo.ledger.people import Document
from demo.platform import Platform, Refused
from demo.unfinished import Unfinished

CAMPAIGN = "autumn-winback"
SEGMENT = "valuable-slipping"
RULE = {"all": [{"field": "score.segment", "is": SEGMENT}]}
SHOWN = 8
OFFERS = 3
PATIENCE = 60.0
POLL = 0.2


class TookTooLong(Unfinished):
    """The platform has not done within a minute what it was asked for."""


class Marketing:
    """Scores and campaigns."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def refit(self) -> None:
        await self._wait(self._is_refitted)

    async def _is_refitted(self) -> bool:
        """The service refits by itself, too; one refit at a time."""
        try:
            await self._platform.post("/v1/models/refit")
        except Refused as refused:
            if refused.status == HTTPStatus.CONFLICT:
                return False
            raise
        return True

    async def model(self) -> Document:
        """The one in use; empty where none could be fitted."""
        found = (await self._platform.get("/v1/models", limit=1))["items"]
        if not found:
            return {}
        parameters = {name: found[0][name] for name in ("mbg_nbd", "gamma_gamma")}
        return {"name": found[0]["name"], "version": found[0]["version"], "parameters": parameters}

    async def segments(self) -> Mapping[str, int]:
        summary = await self._platform.get("/v1/scores/summary")
        return {name: figures["customers"] for name, figures in summary["segments"].items()}

    async def most_valuable(self) -> list[Document]:
        return list((await self._platform.get("/v1/scores", sort="value", limit=SHOWN))["items"])

    async def leaving(self) -> list[Document]:
        """Those who have spent most, first."""
        found = await self._platform.every("/v1/scores", segment=SEGMENT)
        return list(sorted(found, key=lambda score: Decimal(score["money"]), reverse=True)[:SHOWN])

    async def wishes(self, customers: Sequence[Document]) -> list[Document]:
        """What to offer these customers, once the whole year has been looked through."""
        await self._platform.look("wishes", "/v1/wishes/study")
        asked = (self._platform.get(f"/v1/wishes/{one['customer_id']}", number=OFFERS) for one in customers)
        return [await answer for answer in asked]

    async def launch(self) -> str:
        """Once campaigns knows the scores, draw the segment and wait until everybody in it is told."""
        await self._wait(self._segment_is_known)
        body: dict[str, Any] = {
            "campaign_id": CAMPAIGN,
            "name": "Come back in autumn",
            "channel": "mail",
            "message": "We have missed you: 10 % off your next basket.",
            "segment": RULE,
            "control_share": 0.3,
            "response_days": 60,
            "seed": "complete-journey",
        }
        await self._platform.post("/v1/campaigns", body)
        await self._platform.post(f"/v1/campaigns/{CAMPAIGN}/launch")
        await self._wait(self._is_launched)
        return CAMPAIGN

    async def _segment_is_known(self) -> bool:
        preview = await self._platform.post("/v1/segments/preview", {"rule": RULE})
        return bool(preview["customers"] == (await self.segments()).get(SEGMENT, 0))

    async def _is_launched(self) -> bool:
        return bool((await self._platform.get(f"/v1/campaigns/{CAMPAIGN}"))["state"] == "launched")

    @staticmethod
    async def _wait(condition: Callable[[], Awaitable[bool]]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await condition():
            if time.monotonic() > deadline:
                raise TookTooLong(f"{condition.__name__} was not true within {PATIENCE:.0f} s")
            await asyncio.sleep(POLL)
