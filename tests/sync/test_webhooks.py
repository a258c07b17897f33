"""Webhooks from the changed view to the receiver: each customer once, newest state, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from aiohttp import web

from services.sync.domain.channel import Change
from services.sync.domain.outgoing import Progress, Receipt
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.webhooks import Answer
from services.sync.store import DeliveryStore
from tests.sync.conftest import Sync, now
from tests.sync.facts import ANNA, BERT, contact, customer, interaction, order, score
from tests.sync.receiver import Receiver, receiving
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@asynccontextmanager
async def delivering(dispatch: Dispatch) -> AsyncIterator[None]:
    """This instance's workers, as long as it lives."""
    task = asyncio.create_task(dispatch.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def progress(sync: Sync) -> Progress:
    return await sync.deliveries.progress("e-shop")


async def receipt(sync: Sync, customer_id: str) -> Receipt | None:
    return (await sync.deliveries.receipts("e-shop", [customer_id])).get(customer_id)


async def delivered(sync: Sync, position: int) -> None:
    async def there() -> bool:
        return (await progress(sync)).cursor.get(0, 0) >= position

    await eventually(there)


async def test_a_new_channel_gets_each_customer_once_in_the_newest_version(sync: Sync, receiver: Receiver) -> None:
    await sync.happen(contact(ANNA), *(order(customer(n)) for n in range(250)))
    await sync.happen(order(ANNA, total="12.00"))
    _, receiver.secret = await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await delivered(sync, 252)
        await sync.happen(order(BERT))
        await delivered(sync, 253)
    assert set(receiver.times().values()) == {1}
    assert len(receiver.bodies) == 252
    anna = next(body for body in receiver.bodies if body["customer_id"] == ANNA)
    assert (anna["channel"], anna["version"], anna["policy_version"], anna["withheld"]) == ("e-shop", 2, 1, [])
    assert anna["customer"]["sales"]["total"] == "12.00"
    assert anna["changed_at"] == anna["customer"]["changed_at"]


async def test_a_channel_that_was_away_gets_the_newest_state_only(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    for n in range(5):
        await sync.happen(order(ANNA, n), order(BERT, n))
    async with delivering(sync.dispatch()):
        await delivered(sync, 10)
    assert (receiver.versions(ANNA), receiver.versions(BERT)) == ([5], [5])


async def test_the_customers_answer_and_the_policy_decide_what_is_sent(sync: Sync, receiver: Receiver) -> None:
    granted = {"purpose": "marketing", "channel": "any", "status": "granted", "given_at": now(), "source": "x"}
    await sync.happen(contact(ANNA, consents=[granted], email="anna@example.org"), contact(BERT))
    await sync.register(url=receiver.url, purpose="marketing", basis="consent", fields=["contact.name", "sales.orders"])
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    seen = {body["customer_id"]: (body["customer"], body["withheld"]) for body in receiver.bodies}
    assert seen[ANNA] == ({"contact": {"name": "Name 1"}, "sales": {"orders": 0}}, [])
    assert seen[BERT] == ({}, ["contact.name", "sales.orders"])


async def test_a_channel_does_not_hear_its_own_echo(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url, source="/channels/e-shop")
    await sync.happen(order(ANNA, 1), origin="/channels/e-shop")
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        await sync.happen(order(ANNA, 2), origin="/channels/e-shop")
        await delivered(sync, 2)
        await sync.happen(interaction(ANNA, 3), origin="/channels/call-centre")
        await delivered(sync, 3)
        await sync.happen(order(ANNA, 4), score(ANNA), origin="/channels/e-shop")
        await delivered(sync, 4)
    # The first tells the customer's id; the fourth tells a score, which no channel can know.
    assert receiver.versions(ANNA) == [1, 3, 4]


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


async def change(sync: Sync, **fields: Any) -> None:
    said = Change.model_validate(fields)
    await sync.transact(lambda unit: sync.channels.change(unit, "e-shop", said))
    await sync.channels.refresh()


async def test_a_paused_channel_gets_nothing_and_then_everything(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        await sync.happen(order(ANNA))
        await delivered(sync, 1)
        await change(sync, state="paused")
        await eventually(dispatch.running["e-shop"].task.done)
        await sync.happen(order(ANNA, 2), order(BERT))
        await change(sync, state="active")
        dispatch.nudge()
        await delivered(sync, 3)
    assert (receiver.versions(ANNA), receiver.versions(BERT)) == ([1, 2], [1])


async def test_a_customer_whose_partition_has_changed_leaves_no_gap_to_wait_for(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA), partition=0)
    await sync.happen(order(ANNA, 2), partition=1)
    async with delivering(sync.dispatch()):

        async def there() -> bool:
            return (await progress(sync)).cursor == {0: 1, 1: 1}

        await eventually(there)
    assert receiver.versions(ANNA) == [2]


async def test_redirects_are_failures(sync: Sync, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=307, headers={"location": receiver.url})
    answer = await sync.courier.send(receiver.url, ["whsec_" + "A" * 32], "id", b"{}")
    assert (answer.status, answer.taken, receiver.requests) == (307, False, 1)


class Dying(DeliveryStore):
    """The process ends between sending and storing that it has sent."""

    async def settle(self, settlement: Settlement, session: Any) -> None:
        raise RuntimeError("died")


async def test_what_was_sent_before_a_crash_goes_out_again_under_the_same_id(sync: Sync, receiver: Receiver) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await sync.register(url=receiver.url)

    kept, sync.deliveries = sync.deliveries, Dying(sync.database)
    async with delivering(sync.dispatch("one")):
        await eventually(lambda: len(receiver.ids) >= 2)
    sync.deliveries = kept
    before = set(receiver.ids)
    receiver.ids.clear()
    async with delivering(sync.dispatch("two")):
        await delivered(sync, 2)
    assert set(receiver.ids) == before
    assert await progress(sync) == Progress(cursor={0: 2}, generation=1)


async def test_of_two_instances_one_delivers(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    first, second = sync.dispatch("one"), sync.dispatch("two")
    async with delivering(first), delivering(second):
        await sync.happen(*(order(customer(n)) for n in range(200)))
        await delivered(sync, 200)
        assert len(first.running) + len(second.running) == 1
    assert set(receiver.times().values()) == {1}


async def test_when_an_instance_dies_another_takes_over(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA))
    assert await sync.deliveries.lease("e-shop", "dead", 0.5)
    async with delivering(sync.dispatch("alive")):
        await delivered(sync, 1)


async def test_a_worker_that_may_lose_its_lease_sends_nothing(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA))
    dispatch = sync.dispatch(lease_seconds=sync.pace.timeout / 2)
    async with delivering(dispatch):
        await eventually(lambda: "e-shop" in dispatch.running)
        worker = dispatch.running["e-shop"]
        await asyncio.wait([worker.task], timeout=0.3)
    assert receiver.requests == 0


async def test_no_older_version_arrives_after_a_newer_one(sync: Sync, receiver: Receiver) -> None:
    failures = iter(range(10_000))
    receiver.answer = lambda _: web.Response(status=503 if next(failures) % 3 == 0 else 200)
    await sync.register(url=receiver.url)
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        for n in range(40):
            await sync.happen(*(order(customer(c), n) for c in range(n % 7, 12)))

        async def all_there() -> bool:
            held = await sync.deliveries.receipts("e-shop", [customer(c) for c in range(12)])
            return sorted(r.version for r in held.values()) == sorted(
                len([n for n in range(40) if n % 7 <= c]) for c in range(12)
            )

        await eventually(all_there)
    for c in range(12):
        assert receiver.versions(customer(c)) == sorted(set(receiver.versions(customer(c))))


async def test_everything_can_be_sent_again(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA), order(BERT))
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
        await replay_all(sync, None)
        await eventually(lambda: len(receiver.bodies) == 4)
    assert len(set(receiver.ids)) == 4
    again = await receipt(sync, ANNA)
    assert again is not None
    assert (again.version, again.times) == (1, 2)


async def replay_all(sync: Sync, since: datetime | None) -> None:
    await sync.transact(lambda unit: sync.channels.replay_all(unit, "e-shop", since))


async def test_what_has_changed_since_a_moment_can_be_sent_again(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        moment = now()
        await eventually(lambda: (now() - moment).total_seconds() > 0.002)
        await sync.happen(order(BERT))
        await delivered(sync, 2)
        await replay_all(sync, moment)
        await eventually(lambda: len(receiver.bodies) == 3)
    assert (receiver.versions(ANNA), receiver.versions(BERT)) == ([1], [1, 1])


async def test_a_replay_of_the_recent_skips_nothing_that_is_still_owed(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA), order(BERT))
    await replay_all(sync, now())
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    assert set(receiver.times()) == {ANNA, BERT}


async def test_one_customer_can_be_sent_again(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url, source="/channels/e-shop")
    await sync.happen(order(ANNA), order(BERT), origin="/channels/e-shop")
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
        await sync.transact(lambda unit: sync.channels.replay_customer(unit, "e-shop", ANNA))
        await eventually(lambda: receiver.versions(ANNA) == [1, 1])
    assert len(set(receiver.ids)) == 3


async def test_a_new_policy_holds_from_the_next_delivery_on(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        await sync.happen(order(ANNA))
        await delivered(sync, 1)
        await change(sync, fields=["sales.orders"])
        await sync.happen(order(ANNA, 2))
        await delivered(sync, 2)
    assert receiver.bodies[1]["customer"] == {"sales": {"orders": 2}}
    kept = await receipt(sync, ANNA)
    assert kept is not None
    assert kept.policy_version == receiver.bodies[1]["policy_version"] == 2


async def test_old_and_new_secret_both_verify_during_a_change_of_secrets(sync: Sync, receiver: Receiver) -> None:
    _, old = await sync.register(url=receiver.url)
    _, new = await sync.transact(lambda unit: sync.channels.rotate(unit, "e-shop"))
    await sync.channels.refresh()
    async with delivering(sync.dispatch()):
        for position, secret in enumerate((old, new), 1):
            receiver.secret = secret
            await sync.happen(order(customer(position)))
            await delivered(sync, position)
    assert len(receiver.bodies) == 2


async def test_a_channel_with_a_rate_is_not_sent_more(sync: Sync, receiver: Receiver) -> None:
    await sync.happen(*(order(customer(n)) for n in range(30)))
    await sync.register(url=receiver.url, rate=50)
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with delivering(sync.dispatch()):
        await delivered(sync, 30)
    assert loop.time() - began > (30 - 5 - 1) / 50


async def test_one_view_that_cannot_be_prepared_stops_no_other(sync: Sync, receiver: Receiver) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await sync.database["views"].update_one({"_id": ANNA}, {"$set": {"view": "not json"}})
    await sync.register(url=receiver.url, fields=["sales"])
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    assert set(receiver.times()) == {BERT}


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


async def test_a_silent_receiver_is_a_failure_in_words(sync: Sync, receiver: Receiver) -> None:
    receiver.held_back = asyncio.Event()
    answer = await sync.courier.send(receiver.url, ["whsec_" + "A" * 32], "id", b"{}")
    receiver.held_back.set()
    assert answer == Answer(None, error="did not answer in time")
    refused = await sync.courier.send("http://127.0.0.1:1/", ["whsec_" + "A" * 32], "id", b"{}")
    assert refused.error is not None
    assert refused.error.startswith("cannot be reached")
