"""A caller that is cancelled while it waits for the database leaves no lock behind, and no socket."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from pymongo import lock as pymongo_lock, pool_shared
from pymongo.asynchronous import pool, topology
from pymongo.pool_options import PoolOptions

from shared import mongo
from shared.mongo_waits import cond_wait, connect
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
