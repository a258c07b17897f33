"""Streams over real HTTP: what a client gets, where it goes on, and when it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from pymongo.errors import AutoReconnect

from services.sync.handlers.streams import Stream
from shared.contracts.contacts import ContactErased
from shared.contracts.erasures import ERASURES, ErasureDone
from shared.settings import PlatformSettings
from tests.sync.facts import ANNA, BERT, CLEO, contact, customer, order
from tests.sync.forgetting import ID
from tests.sync.running import Running, running
from tests.sync.streaming import channel_and_key, listening
from tests.waiting import eventually

pytestmark = pytest.mark.integration
DONE = ErasureDone.TYPE.encode()


@pytest.fixture
async def service(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Running]:
    async with running(settings) as service:
        yield service


@pytest.fixture
async def key(service: Running) -> dict[str, str]:
    return await channel_and_key(service, "call-centre")


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


async def test_over_http_an_erasure_is_done_when_each_customer_was_acknowledged(
    settings: PlatformSettings, topics: dict[str, int]
) -> None:
    """Two ids of one person; the client says after the first that it is done, as it might believe."""
    asked = datetime.now(UTC)
    erased = ContactErased(
        erasure_id=ID, customers=[ANNA, BERT], requested_at=asked, deadline=asked + timedelta(days=30)
    )
    async with running(settings, erasure_settle_seconds=0) as service:
        key = await channel_and_key(service, "desk")
        said = {"headers": {"authorization": key["authorization"]}}
        path = f"/v1/channels/desk/erasures/{ID}"
        await service.tell(contact(ANNA), contact(BERT))
        async with listening(service, key, "desk") as client:
            await client.take(2)
            for one in (ANNA, BERT):
                await service.tell(erased, under=one)
            bodies = await client.take(2)
        assert {(body["customer_id"], body["erased"]) for body in bodies} == {(ANNA, ID), (BERT, ID)}
        await service.send("PUT", path, None, 409, **said)
        await service.send("PUT", f"{path}/customers/{ANNA}", None, 204, **said)
        await service.send("PUT", path, None, 409, **said)
        other = await channel_and_key(service, "other")
        strange = {"headers": {"authorization": other["authorization"]}}
        await service.send("PUT", f"{path}/customers/{BERT}", None, 403, **strange)
        await service.send("PUT", f"{path}/customers/{CLEO}", None, 404, **said)
        await service.send("PUT", f"{path}/customers/{BERT}", None, 204, **said)

        async def places() -> set[str]:
            told = await service.records(ERASURES, 3)
            return {orjson.loads(value)["place"] for _, value, header in told if header["ce_type"] == DONE}

        async def done() -> bool:
            return await places() == {"sync", "channel:desk"}

        await eventually(done)
        await service.send("PUT", path, None, 204)
