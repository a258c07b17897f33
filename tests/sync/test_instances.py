"""Several instances that deliver: one at a time, another after its death, and nobody who may have lost the lease."""

import asyncio
from typing import Any

import pytest

from services.sync.domain.outgoing import Progress
from services.sync.handlers.deliveries import Settlement
from services.sync.store import DeliveryStore
from tests.sync.conftest import Sync
from tests.sync.delivering import delivered, delivering, progress
from tests.sync.facts import ANNA, BERT, customer, order
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_of_two_instances_one_delivers(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    first, second = sync.dispatch("one"), sync.dispatch("two")
    async with delivering(first), delivering(second):
        await sync.happen(*(order(customer(n)) for n in range(200)))
        await delivered(sync, 200)
        assert len(first.running) + len(second.running) == 1
    assert set(receiver.times().values()) == {1}


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
    assert await progress(sync) == Progress(cursor={0: 2}, generation=1, reach={0: 2})


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
