"""A caller that is cancelled while it waits for the database leaves no lock behind, and no socket; no wait is without an end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import lock as pymongo_lock, pool_shared
from pymongo.asynchronous import pool, topology
from pymongo.errors import AutoReconnect, NetworkTimeout
from pymongo.pool_options import PoolOptions

from shared import mongo
from shared.mongo import Client
from shared.mongo_waits import cond_wait, connect, receive, send
from shared.settings import PlatformSettings
from tests.waiting import eventually


async def test_cancelled_as_its_time_is_over_a_waiter_gives_the_lock_back() -> None:
    lock = pymongo_lock._async_create_lock()
    condition = pymongo_lock._async_create_condition(lock)

    async def waiter() -> None:
        async with lock:
            await cond_wait(condition, 0.5)

    waiting = asyncio.create_task(waiter())
    await eventually(lambda: condition._waiters)
    async with lock:  # so that the waiter's time is over while it cannot have the lock
        await eventually(lambda: not condition._waiters)
        waiting.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(5):
        await lock.acquire()


@pytest.mark.integration
async def test_every_client_waits_so(settings: PlatformSettings) -> None:
    await mongo.close(mongo.connect(settings))
    assert topology._async_cond_wait is pool._async_cond_wait is cond_wait  # type: ignore[attr-defined]
    assert pool_shared._async_create_connection is connect
    assert (vars(pool)["async_sendall"], vars(pool)["async_receive_message"]) == (send, receive)


async def test_cancelled_while_it_connects_it_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    connected = asyncio.Event()

    async def slow(self: Any, sock: socket.socket, address: Any) -> None:
        made.append(sock)
        await connected.wait()

    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", slow)
    connecting = asyncio.create_task(connect(("127.0.0.1", 9), PoolOptions(connect_timeout=5)))
    await eventually(lambda: made)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    connected.set()
    await eventually(lambda: made[0].fileno() == -1)


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[Client]:
    client = mongo.connect(settings)
    yield client
    await mongo.close(client)


async def _answered_late(client: Client) -> Any:
    """What the server answers after ten seconds only: that nothing has happened in its replica set."""
    hello = await client.admin.command("hello")
    asked = {"hello": 1, "topologyVersion": hello["topologyVersion"], "maxAwaitTimeMS": 10_000}
    return await client.admin.command(asked)


async def _connections_in_use(client: Client) -> list[Any]:
    return [server.pool for server in client._topology._servers.values() if server.pool.active_sockets]


@pytest.mark.integration
async def test_an_answer_that_takes_too_long_is_given_up(
    settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "SOCKET_TIMEOUT_MS", 200)
    client = mongo.connect(settings)
    try:
        with pytest.raises(NetworkTimeout):
            await _answered_late(client)
        assert (await client.admin.command("ping"))["ok"] == 1
    finally:
        await mongo.close(client)


@pytest.mark.integration
async def test_an_answer_of_a_server_that_was_given_up_is_not_waited_for(client: Client) -> None:
    waiting = asyncio.create_task(_answered_late(client))
    for used in await eventually(lambda: _connections_in_use(client)):
        await used.reset(interrupt_connections=True)
    with pytest.raises(AutoReconnect):
        await waiting


@pytest.mark.integration
async def test_cancelled_while_it_waits_for_an_answer_it_does_not_hand_the_connection_on(client: Client) -> None:
    waiting = asyncio.create_task(_answered_late(client))
    await eventually(lambda: _connections_in_use(client))
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await client.admin.command("ping"))["ok"] == 1
