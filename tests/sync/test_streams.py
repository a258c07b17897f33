"""Streams over real HTTP: what a client gets, where it goes on, and when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import aiohttp
import orjson
import pytest
from pymongo.errors import AutoReconnect

from services.sync.handlers.streams import Stream
from shared.settings import PlatformSettings
from tests.sync.facts import ANNA, BERT, contact, customer, order
from tests.sync.running import Running, running
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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


@pytest.fixture
async def service(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Running]:
    async with running(settings) as service:
        yield service


@pytest.fixture
async def key(service: Running) -> dict[str, str]:
    return await channel_and_key(service, "call-centre")


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


async def test_a_client_gets_what_there_is_and_then_what_changes(service: Running, key: dict[str, str]) -> None:
    await service.tell(contact(ANNA))
    await service.view(ANNA)
    await service.tell(order(ANNA))
    await service.view(ANNA, orders=1)
    async with listening(service, key) as client:
        first = (await client.take(1))[0]
        assert first["customer_id"] == ANNA
        assert set(first["customer"]) == {"contact", "sales"}
        await service.tell(order(BERT))
        second = (await client.take(1))[0]
        assert (second["customer_id"], second["channel"], second["version"]) == (BERT, "call-centre", 1)


async def test_a_client_goes_on_exactly_behind_the_last_event_it_has_seen(
    service: Running, key: dict[str, str]
) -> None:
    await service.tell(*(order(customer(n)) for n in range(30)))
    async with listening(service, key) as client:
        seen = await client.take(12)
        last = client.ids[11]
    async with listening(service, key, last=last) as client:
        rest = await client.take(18)
    assert len({body["customer_id"] for body in seen + rest}) == 30


async def test_without_a_last_event_a_client_goes_on_where_the_channel_is(
    service: Running, key: dict[str, str]
) -> None:
    await service.tell(order(ANNA))
    async with listening(service, key) as client:
        await client.take(1)

    async def kept() -> bool:
        return bool((await service.get("/v1/channels/call-centre"))["backlog"] == 0)

    await eventually(kept)
    await service.tell(order(BERT))
    async with listening(service, key) as client:
        assert (await client.take(1))[0]["customer_id"] == BERT
    async with listening(service, key, query="?from=start") as client:
        assert {body["customer_id"] for body in await client.take(2)} == {ANNA, BERT}


async def test_what_was_sent_is_kept_as_a_receipt(service: Running, key: dict[str, str]) -> None:
    await service.tell(order(ANNA))
    async with listening(service, key) as client:
        await client.take(1)

    async def receipt() -> Any:
        return (await service.get("/v1/channels/call-centre/deliveries"))["items"]

    items = await eventually(receipt)
    assert [(item["customer_id"], item["version"], item["policy_version"]) for item in items] == [(ANNA, 1, 1)]


async def test_a_replay_reaches_a_client_that_is_connected_and_one_that_comes_back(
    service: Running, key: dict[str, str]
) -> None:
    await service.tell(order(ANNA), order(BERT))
    async with listening(service, key) as client:
        await client.take(2)
        await service.send("POST", "/v1/channels/call-centre/replay", {"all": True}, 202)
        assert len(await client.take(2)) == 2
        await service.send("POST", "/v1/channels/call-centre/replay", {"customer_id": ANNA}, 202)
        assert (await client.take(1))[0]["customer_id"] == ANNA
        last = client.ids[-1]
    await service.send("POST", "/v1/channels/call-centre/replay", {"all": True}, 202)
    async with listening(service, key, last=last) as client:
        assert len(await client.take(2)) == 2


async def test_a_client_that_may_have_lost_a_change_gets_it_even_behind_an_echo(service: Running) -> None:
    key = await channel_and_key(service, "calls", source="/channels/calls")
    await service.tell(order(ANNA, 1))
    async with listening(service, key, "calls") as client:
        await client.take(1)
        seen = client.ids[-1]
        await service.tell(order(ANNA, 2), origin="/channels/e-shop")
        await client.take(1)
        await service.tell(order(ANNA, 3), origin="/channels/calls")
        await service.tell(order(BERT, 4))
        assert (await client.take(1))[0]["customer_id"] == BERT
    await service.view(ANNA, orders=3)
    async with listening(service, key, "calls", last=seen) as client:
        bodies = {body["customer_id"]: body for body in await client.take(2)}
    assert bodies[ANNA]["customer"]["sales"]["orders"] == 3


async def test_a_key_listens_to_its_own_channel_only(service: Running, key: dict[str, str]) -> None:
    headers = {"authorization": key["authorization"]}
    other = {"channel_id": "other", "kind": "sse", "purpose": "service", "basis": "contract", "fields": ["*"]}
    await service.send("POST", "/v1/channels", other, 201)
    await service.get("/v1/channels/other/stream", 403, headers=headers)
    await service.get("/v1/customers/summary", 403, headers=headers)
    await service.get("/v1/channels/nobody/stream", 404)
    problem = await service.get("/v1/channels/call-centre/stream", 400, headers={**headers, "last-event-id": "x"})
    assert problem["errors"][0]["field"] == "header.last-event-id"


@pytest.mark.parametrize("passing", [True, False])
async def test_a_stream_ends_quietly_where_the_database_is_away_and_no_other_failure_is_hidden(passing: bool) -> None:
    class Tail:
        async def look(self) -> None:
            raise AutoReconnect("away") if passing else KeyError("ours")

    line: Any = SimpleNamespace(tail=Tail())
    with nullcontext() if passing else pytest.raises(KeyError):
        assert [chunk async for chunk in Stream("call-centre", None, line, lambda: True).chunks()] == []


async def test_a_stream_ends_with_its_key(service: Running, key: dict[str, str]) -> None:
    async with listening(service, key) as client:
        await service.send("DELETE", f"/v1/keys/{key['key_id']}", status=204)
        await client.ended()


async def test_a_stream_ends_when_its_channel_is_paused(service: Running, key: dict[str, str]) -> None:
    async with listening(service, key) as client:
        await service.send("PATCH", "/v1/channels/call-centre", {"state": "paused"})
        await client.ended()
    headers = {"authorization": key["authorization"]}
    await service.get("/v1/channels/call-centre/stream", 409, headers=headers)


async def test_many_clients_of_many_channels_are_told_at_once(service: Running) -> None:
    names = [f"calls-{n}" for n in range(5)]
    keys = {name: await channel_and_key(service, name) for name in names}

    async def one(name: str) -> list[str]:
        async with listening(service, keys[name], name) as client:
            return [body["customer_id"] for body in await client.take(300)]

    clients = [asyncio.create_task(one(name)) for name in names]
    for start in range(0, 300, 50):
        await service.tell(*(order(customer(n)) for n in range(start, start + 50)))
    for seen in await asyncio.gather(*clients):
        assert sorted(set(seen)) == [customer(n) for n in range(300)]
