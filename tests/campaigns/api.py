"""A client of the HTTP side, and a campaign to plan with it."""

from typing import Any

import aiohttp

ADMIN = "rk_admin_" + "x" * 43
EVERYONE = {"field": "sales.orders", "at_least": 1}
CAMPAIGN: dict[str, Any] = {
    "campaign_id": "winback",
    "name": "Win back",
    "channel": "mail",
    "message": "We miss you",
    "segment": {"all": [EVERYONE, {"field": "score.segment", "is": "valuable-slipping"}]},
    "control_share": 0.5,
    "response_days": 60,
    "seed": 7,
}


class Api:
    def __init__(self, http: aiohttp.ClientSession) -> None:
        self.http = http

    async def call(
        self, method: str, path: str, body: Any = None, status: int = 200, headers: dict[str, str] | None = None
    ) -> Any:
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()
