"""Webhooks from the changed view to the receiver: each customer once, newest state, as the channel's policy allows."""

import asyncio
from datetime import datetime

import pytest
from aiohttp import web

from tests.sync.conftest import Sync, now
from tests.sync.delivering import change, delivered, delivering, progress, receipt
from tests.sync.facts import ANNA, BERT, contact, customer, interaction, order, score
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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


async def test_a_customer_whose_partition_has_changed_leaves_no_gap_to_wait_for(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA), partition=0)
    await sync.happen(order(ANNA, 2), partition=1)
    async with delivering(sync.dispatch()):

        async def there() -> bool:
            return (await progress(sync)).cursor == {0: 1, 1: 1}

        await eventually(there)
    assert receiver.versions(ANNA) == [2]


async def test_one_view_that_cannot_be_prepared_stops_no_other(sync: Sync, receiver: Receiver) -> None:
    await sync.happen(order(ANNA), order(BERT))
    await sync.database["views"].update_one({"_id": ANNA}, {"$set": {"view": "not json"}})
    sync.tail.recent.forget()
    await sync.register(url=receiver.url, fields=["sales"])
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    assert set(receiver.times()) == {BERT}


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


async def test_the_customers_answer_and_the_policy_decide_what_is_sent(sync: Sync, receiver: Receiver) -> None:
    granted = {"purpose": "marketing", "channel": "any", "status": "granted", "given_at": now(), "source": "x"}
    await sync.happen(contact(ANNA, consents=[granted], email="anna@example.org"), contact(BERT))
    await sync.register(url=receiver.url, purpose="marketing", basis="consent", fields=["contact.name", "sales.orders"])
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    seen = {body["customer_id"]: (body["customer"], body["withheld"]) for body in receiver.bodies}
    assert seen[ANNA] == ({"contact": {"name": "Name 1"}, "sales": {"orders": 0}}, [])
    assert seen[BERT] == ({}, ["contact.name", "sales.orders"])


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
