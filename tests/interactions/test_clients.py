"""Contacts over real HTTP, and the cache without its server."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from redis.asyncio import Connection, ConnectionPool, Redis

from services.interactions.clients import Contacts, ContactsAway, IdentitiesRefused, IdentityCache
from tests.interactions.facts import ANNA, identifiers

Answer = Callable[[web.Request], web.Response]


@asynccontextmanager
async def contacts(
    answers: list[Any], patience: tuple[float, ...] = (0.0, 0.0)
) -> AsyncIterator[tuple[Contacts, list[Any]]]:
    """Contacts that gives these answers in turn (a status, a body, None for a dead line), and what it was asked."""
    requests: list[Any] = []

    async def resolve(request: web.Request) -> web.Response:
        requests.append((request.headers["authorization"], orjson.loads(await request.read())))
        answer = answers.pop(0)
        if answer is None:
            assert request.transport
            request.transport.abort()
        if isinstance(answer, int):
            return web.Response(status=answer)
        return web.Response(body=orjson.dumps(answer), content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/identities/resolve", resolve)
    async with TestServer(app) as server:
        client = Contacts(str(server.make_url("/")), "rk_a_b", patience)
        await client.open()
        yield client, requests
        await client.close()


async def test_contacts_is_asked_in_its_own_words() -> None:
    async with contacts([{"customers": [ANNA]}]) as (client, requests):
        assert await client.resolve([identifiers("pos:1", "card:2")]) == [ANNA]
    customers = [[{"scheme": "pos", "value": "1"}, {"scheme": "card", "value": "2"}]]
    assert requests == [("Bearer rk_a_b", {"customers": customers})]


async def test_more_than_a_thousand_customers_are_asked_for_in_portions() -> None:
    async with contacts([{"customers": [ANNA] * 1000}, {"customers": [ANNA] * 5}]) as (client, requests):
        assert await client.resolve([identifiers(f"pos:{n}") for n in range(1005)]) == [ANNA] * 1005
    assert [len(body["customers"]) for _, body in requests] == [1000, 5]


@pytest.mark.parametrize("hiccup", [None, 503, 500, 401, {"customers": []}, {"people": []}, ["?"]])
async def test_a_moment_of_weakness_is_tried_again(hiccup: Any) -> None:
    async with contacts([hiccup, hiccup, {"customers": [ANNA]}]) as (client, _):
        assert await client.resolve([identifiers("pos:1")]) == [ANNA]


async def test_contacts_that_stays_away_is_reported_as_away() -> None:
    async with contacts([503, 503, 503]) as (client, requests):
        with pytest.raises(ContactsAway):
            await client.resolve([identifiers("pos:1")])
    assert len(requests) == 3


async def test_a_refused_question_is_not_repeated() -> None:
    async with contacts([422]) as (client, requests):
        with pytest.raises(IdentitiesRefused):
            await client.resolve([identifiers("pos:1")])
    assert len(requests) == 1


async def test_a_cache_whose_server_is_away_knows_nothing_and_fails_nobody() -> None:
    async with Redis(unix_socket_path="/nowhere/redis.sock") as redis:
        cache = IdentityCache(redis, "t-")
        assert await cache.get([("pos:1",)]) == {}
        await cache.put({("pos:1",): ANNA})
        assert await cache.get([("pos:1",)]) == {}


class JustReset(Connection):
    """As uvloop behaves where the other end has reset the connection and nobody has noticed yet."""

    async def connect(self) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")


async def test_a_connection_that_has_just_been_reset_is_a_cache_away_too() -> None:
    async with Redis(connection_pool=ConnectionPool(connection_class=JustReset)) as redis:
        assert await IdentityCache(redis, "t-").get([("pos:1",)]) == {}
        await IdentityCache(redis, "t-").put({("pos:1",): ANNA})
