"""Issuing keys that are limited to some contacts: never with a scope that is a way around the limits."""

import orjson
import pytest

from shared.contracts.sync import ACCESS
from tests.sync.running import Running
from tests.sync.test_service import service
from tests.waiting import eventually

__all__ = ["service"]
pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "scope", ["*", "customers:read", "interactions:read", "scores:read", "keys:write", "identities:resolve"]
)
async def test_a_scope_that_shows_all_customers_is_refused_to_a_limited_key(service: Running, scope: str) -> None:
    asked = {"name": "Nick", "kind": "person", "scopes": ["contacts:read", scope], "territories": ["north"]}
    refused = await service.send("POST", "/v1/keys", asked, 422)
    assert refused["errors"][0]["field"] == "body.scopes.1"
    assert (await service.get("/v1/keys"))["items"] == []


async def test_the_limits_of_a_key_are_told_listed_and_hold(service: Running) -> None:
    kinds = ("read", "write", "merge", "sensitive", "export")
    scopes = [*(f"contacts:{kind}" for kind in kinds), "privacy:export"]
    asked = {"name": "Nick", "kind": "person", "scopes": scopes, "territories": ["north"], "owners": ["olga"]}
    issued = await service.send("POST", "/v1/keys", asked, 201)
    [(_, told, _)] = await service.records(ACCESS, 1)
    fact = orjson.loads(told)
    assert (fact["territories"], fact["owners"]) == (["north"], ["olga"])
    [listed] = (await service.get("/v1/keys"))["items"]
    assert (listed["territories"], listed["owners"]) == (["north"], ["olga"])
    bearer = {"authorization": f"Bearer {issued['key']}"}
    held = "/v1/customers/019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b/held"

    async def refused() -> bool:
        async with service.http.get(held, headers=bearer) as answer:
            return answer.status == 403

    await eventually(refused)
