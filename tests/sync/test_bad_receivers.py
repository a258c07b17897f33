"""Receivers that fail, are busy, silent or gone, or are none that we may call: nobody else is the worse for it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from services.sync.handlers.webhooks import Answer
from tests.sync.conftest import Sync
from tests.sync.delivering import change, delivered, delivering, progress, receipt
from tests.sync.facts import ANNA, BERT, customer, order
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_a_customer_the_receiver_chokes_on_stops_nobody_else(sync: Sync, receiver: Receiver) -> None:
    receiver.answer = lambda body: web.Response(status=500 if body["customer_id"] == ANNA else 200)
    await sync.happen(*(order(customer(n)) for n in range(30)), order(ANNA))
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await delivered(sync, 31)

        async def given_up() -> bool:
            return await sync.deliveries.owed("e-shop") == (0, 1)

        await eventually(given_up)
        assert len(receiver.bodies) == 30
        failed = await receipt(sync, ANNA)
        assert failed is not None
        assert failed.retry is not None
        assert (failed.version, failed.retry.attempt, failed.retry.error) == (0, 4, "answered 500")
        receiver.answer = lambda _: web.Response(status=200)
        await sync.happen(order(ANNA, 2))
        await delivered(sync, 32)
    assert receiver.versions(ANNA) == [2]
    assert len(set(receiver.ids)) == 32
    assert await sync.deliveries.owed("e-shop") == (0, 0)


async def test_a_retry_sends_the_newest_version(sync: Sync, receiver: Receiver) -> None:
    sync.pace = replace(sync.pace, schedule=(0.3,))
    await sync.happen(*(order(customer(n)) for n in range(30)), order(ANNA))
    receiver.answer = lambda body: web.Response(status=500 if body["customer_id"] == ANNA else 200)
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await delivered(sync, 31)
        receiver.answer = lambda _: web.Response(status=200)
        await eventually(lambda: receiver.versions(ANNA) == [1])
        await sync.happen(order(ANNA, 2))
        await delivered(sync, 32)
    assert receiver.versions(ANNA) == [1, 2]


async def test_a_dead_channel_costs_little_keeps_its_backlog_and_comes_back(sync: Sync, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=502)
    await sync.happen(*(order(customer(n)) for n in range(300)))
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):

        async def in_trouble() -> bool:
            trouble = (await progress(sync)).trouble
            return trouble is not None and trouble.error == "answered 502"

        await eventually(in_trouble)
        wave = receiver.requests
        await eventually(lambda: receiver.requests >= wave + 2)
        assert receiver.requests < 40
        assert (await progress(sync)).cursor == {}
        assert await sync.deliveries.owed("e-shop") == (0, 0)
        receiver.answer = lambda _: web.Response(status=200)
        await delivered(sync, 300)
        assert (await progress(sync)).trouble is None
    assert set(receiver.times().values()) == {1}


async def test_a_dead_channel_slows_no_other(sync: Sync, receiver: Receiver) -> None:
    await sync.register(channel_id="dead", url="http://127.0.0.1:1/hooks")
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        for n in range(10):
            await sync.happen(order(customer(n)))
            await eventually(lambda n=n: len(receiver.bodies) == n + 1, within=1)  # type: ignore[misc]


async def test_a_receiver_that_is_busy_is_left_alone_as_long_as_it_asks(sync: Sync, receiver: Receiver) -> None:
    busy = asyncio.get_running_loop().time() + 1
    turned_away: list[float] = []

    def answer(_: dict[str, Any]) -> web.Response:
        moment = asyncio.get_running_loop().time()
        if moment >= busy:
            return web.Response(status=200)
        turned_away.append(moment)
        return web.Response(status=429, headers={"retry-after": "1"})

    receiver.answer = answer
    await sync.happen(*(order(customer(n)) for n in range(50)))
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await delivered(sync, 50)
    assert len(turned_away) <= sync.pace.concurrency
    assert set(receiver.times().values()) == {1}


async def test_a_receiver_that_is_gone_is_not_asked_again(sync: Sync, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=410)
    await sync.happen(order(ANNA))
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await eventually(lambda: sync.channels.known["e-shop"].state == "disabled")
        asked = receiver.requests
        await sync.happen(order(BERT))
        receiver.answer = lambda _: web.Response(status=200)
        await change(sync, state="active")
        await delivered(sync, 2)
    assert (asked, len(receiver.bodies)) == (1, 2)


async def test_a_silent_receiver_is_a_failure_in_words(sync: Sync, receiver: Receiver) -> None:
    receiver.held_back = asyncio.Event()
    answer = await sync.courier.send(receiver.url, ["whsec_" + "A" * 32], "id", b"{}")
    receiver.held_back.set()
    assert answer == Answer(None, error="did not answer in time")
    refused = await sync.courier.send("http://127.0.0.1:1/", ["whsec_" + "A" * 32], "id", b"{}")
    assert refused.error is not None
    assert refused.error.startswith("cannot be reached")


async def test_redirects_are_failures(sync: Sync, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=307, headers={"location": receiver.url})
    answer = await sync.courier.send(receiver.url, ["whsec_" + "A" * 32], "id", b"{}")
    assert (answer.status, answer.taken, receiver.requests) == (307, False, 1)


async def test_webhooks_into_our_own_network_never_connect(sync: Sync, receiver: Receiver) -> None:
    guarded = Sync(sync.client, sync.database, allow_private=False)
    await guarded.courier.open()
    try:
        port = receiver.url.rsplit(":", 1)[1].split("/")[0]
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"):
            for url in (f"https://{host}:{port}/hooks", f"https://{host}:8443/hooks", f"http://{host}/hooks"):
                answer = await guarded.courier.send(url, ["whsec_" + "A" * 32], "id", b"{}")
                assert answer.status is None
                assert answer.error in {
                    "the address is not public",
                    "the port must be one of [443, 8443]",
                    "a webhook URL must be https",
                    "failed (InvalidUrlClientError)",
                }, (url, answer)
    finally:
        await guarded.courier.close()
    assert receiver.requests == 0
