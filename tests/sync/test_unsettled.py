"""What batches have left behind is settled together, and nothing of it is lost or counted twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web

from services.sync.domain.outgoing import Place, Receipt
from services.sync.handlers.deliveries import Settlement
from services.sync.handlers.webhooks.outcome import Outcome
from services.sync.handlers.webhooks.unsettled import MOST, Unsettled
from shared.mongo import Session
from tests.sync.conftest import QUICK, Sync, now
from tests.sync.delivering import delivered, delivering, progress, receipt
from tests.sync.facts import ANNA, BERT, customer, order
from tests.sync.receiver import Receiver
from tests.waiting import eventually


def took(customer_id: str, version: int, seconds: float = 0) -> Receipt:
    return Receipt(customer_id, version, place=Place(0, version), at=now() + timedelta(seconds=seconds))


def test_of_a_customer_the_newest_receipt_counts_for_all() -> None:
    unsettled = Unsettled()
    first = took(ANNA, 1)
    unsettled.add(1, Outcome({ANNA: first, BERT: took(BERT, 2)}, cursor={0: 2}))
    unsettled.add(1, Outcome({ANNA: took(ANNA, 3, 1)}, cursor={0: 3}))
    unsettled.add(1, Outcome({ANNA: took(ANNA, 4, 2)}, cursor={0: 4, 1: 7}))
    anna = unsettled.receipts[ANNA]
    assert (anna.version, anna.times, anna.first_at) == (4, 3, first.at)
    assert (unsettled.receipts[BERT].times, unsettled.cursor) == (0, {0: 4, 1: 7})


def test_the_place_of_before_a_new_start_is_void_and_what_was_taken_is_not() -> None:
    unsettled = Unsettled()
    unsettled.add(1, Outcome({ANNA: took(ANNA, 9)}, cursor={0: 9}))
    unsettled.add(2, Outcome({BERT: took(BERT, 1)}, cursor={0: 1}))
    assert (unsettled.generation, unsettled.cursor, set(unsettled.receipts)) == (2, {0: 1}, {ANNA, BERT})


def test_it_waits_for_its_time_or_until_it_is_much() -> None:
    unsettled = Unsettled()
    assert unsettled.waits(1.0) is None
    unsettled.add(1, Outcome(cursor={0: 1}))
    left = unsettled.waits(60.0)
    assert left is not None
    assert 0 < left <= 60.0
    unsettled.add(1, Outcome({customer(n): took(customer(n), 1) for n in range(MOST)}))
    assert unsettled.waits(60.0) == 0.0


def received(receiver: Receiver, versions: list[int]) -> bool:
    return receiver.versions(ANNA) == versions


def settlements_of(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> list[Settlement]:
    """Those that are stored from now on."""
    stored: list[Settlement] = []
    settle = sync.deliveries.settle

    async def noted(settlement: Settlement, session: Session | None) -> None:
        await settle(settlement, session)
        stored.append(settlement)

    monkeypatch.setattr(sync.deliveries, "settle", noted)
    return stored


@pytest.mark.integration
async def test_changes_that_follow_each_other_are_delivered_at_once_and_settled_together(
    sync: Sync, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.pace = replace(QUICK, settle=60.0)
    stored = settlements_of(sync, monkeypatch)
    await sync.register(url=receiver.url)
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        for n in range(1, 4):
            await sync.happen(order(ANNA, n))
            await eventually(partial(received, receiver, list(range(1, n + 1))))
        assert (stored, await receipt(sync, ANNA)) == ([], None)
        await dispatch.stop()  # whoever stops in good order leaves nothing behind
    [settlement] = stored
    assert [(one.customer_id, one.version, one.times) for one in settlement.receipts] == [(ANNA, 3, 3)]
    [kept] = await sync.deliveries.page("e-shop", "", 10)
    assert (kept.version, kept.times, (await progress(sync)).cursor) == (3, 3, {0: 3})


@pytest.mark.integration
async def test_what_a_dead_instance_had_not_settled_goes_out_again_under_the_same_id(
    sync: Sync, receiver: Receiver
) -> None:
    sync.pace = replace(QUICK, settle=60.0)
    await sync.register(url=receiver.url)
    await sync.happen(order(ANNA), order(BERT))
    dying = sync.dispatch()
    task = asyncio.create_task(dying.run())
    await eventually(lambda: receiver.versions(ANNA) == receiver.versions(BERT) == [1])
    for running in dying.running.values():
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    sync.pace = QUICK
    async with delivering(sync.dispatch()):
        await delivered(sync, 2)
    assert receiver.versions(ANNA) == receiver.versions(BERT) == [1, 1]
    assert set(receiver.times().values()) == {2}


@pytest.mark.integration
async def test_a_failure_is_put_down_at_once_behind_what_went_well(
    sync: Sync, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.pace = replace(QUICK, settle=60.0, schedule=(60.0,))
    stored = settlements_of(sync, monkeypatch)
    await sync.register(url=receiver.url)
    async with delivering(sync.dispatch()):
        await sync.happen(order(ANNA), *(order(customer(n)) for n in range(20)))
        await eventually(lambda: receiver.versions(ANNA) == [1])
        receiver.answer = lambda _: web.Response(status=500)
        await sync.happen(order(ANNA, 2))
        kept = await eventually(lambda: receipt(sync, ANNA))
    assert [len(settlement.receipts) for settlement in stored] == [21, 0]
    assert kept is not None
    assert kept.retry is not None
    assert (kept.version, kept.retry.version) == (1, 2)
