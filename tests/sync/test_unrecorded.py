"""What a webhook may have got though nobody has put it down: the channel is told when the customer is erased, and owes its receipt."""

from typing import Any

import pytest
from aiohttp import web

from shared.contracts.erasures import ErasureAwaited
from shared.messaging.outbox import Told
from tests.sync.conftest import Sync, now
from tests.sync.delivering import delivered, delivering, progress
from tests.sync.facts import ANNA, BERT, contact, customer
from tests.sync.forgetting import ID, erase, finish, receipts
from tests.sync.receiver import Receiver
from tests.sync.workers import Worker
from tests.waiting import eventually

pytestmark = pytest.mark.integration
KILLED_AT = 40


def awaited(told: list[Any]) -> list[str]:
    """The places that owe a receipt from now on."""
    return [ErasureAwaited.model_validate_json(one.value).place for one in told if isinstance(one, Told)]


def last_told(receiver: Receiver, customer_id: str) -> Any:
    return [body for body in receiver.bodies if body["customer_id"] == customer_id][-1].get("erased")


@pytest.mark.timeout(120)
async def test_who_was_sent_by_a_process_that_was_killed_before_it_could_put_it_down(
    sync: Sync, worker: Worker, receiver: Receiver
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url)

    def answer(_: dict[str, Any]) -> web.Response:
        if receiver.requests >= KILLED_AT:
            worker.kill()
        return web.Response(status=204)

    receiver.answer = answer
    worker.start()
    await eventually(lambda: not worker.child, within=40)
    got = sorted({body["customer_id"] for body in receiver.bodies})
    assert len(got) >= KILLED_AT
    unrecorded = sorted(set(got) - set(await sync.deliveries.receipts("e-shop", got)))
    assert unrecorded, "it must have been killed before it settled"
    assert awaited(await erase(sync, *unrecorded)) == ["channel:e-shop"]
    await finish(sync)
    assert await receipts(sync) == []
    async with delivering(sync.dispatch("sync-0")):
        await eventually(lambda: all(last_told(receiver, one) == ID for one in unrecorded))

        async def acknowledged() -> bool:
            return await receipts(sync) == ["channel:e-shop"]

        await eventually(acknowledged)


async def test_who_was_sent_to_a_receiver_that_never_said_that_it_had_taken_them_and_nobody_else(
    sync: Sync, receiver: Receiver
) -> None:
    """As the channel fails, nothing is put down of its customers. Bert comes while it does, and is not among those it is probed with."""
    await sync.register(url=receiver.url)
    got: list[str] = []

    def keeps_what_it_refuses(said: dict[str, Any]) -> web.Response:
        got.append(said["customer_id"])
        return web.Response(status=500)

    receiver.answer = keeps_what_it_refuses
    await sync.happen(*(contact(customer(number)) for number in range(40)))
    async with delivering(sync.dispatch()):

        async def in_trouble() -> bool:
            return (await progress(sync)).trouble is not None

        await eventually(in_trouble)
        assert (await progress(sync)).cursor == {}
        await sync.happen(contact(BERT))
        assert awaited(await erase(sync, got[0], BERT)) == ["channel:e-shop"]
        receiver.answer = lambda _: web.Response(status=204)
        await delivered(sync, 43)
    assert last_told(receiver, got[0]) == ID
    assert not receiver.versions(BERT)
    await finish(sync)
    assert await receipts(sync) == ["channel:e-shop"]


async def test_a_failure_that_was_put_down_is_told_too(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    receiver.answer = lambda _: web.Response(status=500)
    await sync.happen(contact(ANNA))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        assert awaited(await erase(sync, ANNA)) == ["channel:e-shop"]
        receiver.answer = lambda _: web.Response(status=204)
        await delivered(sync, 2)
        await eventually(lambda: [body.get("erased") for body in receiver.bodies] == [ID])


async def test_a_channel_that_is_no_more_is_not_taken_to_have_got_whoever_comes_later(
    sync: Sync, receiver: Receiver
) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        await sync.transact(lambda unit: sync.channels.remove(unit, "e-shop"))

        async def given_back() -> bool:
            found = await sync.deliveries.progresses.find_one({"_id": "e-shop"})
            return found is not None and "owner" not in found

        await eventually(given_back)
    assert (await progress(sync)).reach == {0: 1}
    await sync.happen(contact(BERT))
    assert awaited(await erase(sync, BERT)) == []
    assert awaited(await erase(sync, ANNA, BERT)) == ["channel:e-shop"]


async def test_what_went_out_after_the_first_look_is_found_by_the_second_though_its_turn_has_passed(
    sync: Sync, receiver: Receiver
) -> None:
    """It was read before the erasure and sent after the first look, by a process that died of it."""
    await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    assert awaited(await erase(sync, ANNA)) == []
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        await delivered(sync, 2)
        assert receiver.bodies == []
        await sync.deliveries.reach("e-shop", "one", {0: 1})
        assert awaited(await erase(sync, ANNA)) == ["channel:e-shop"]
        assert await sync.deliveries.due("e-shop", now(), 10) == []
        await sync.deliveries.deliveries.update_one({"customer": ANNA}, {"$set": {"retry.next_at": now()}})
        await eventually(lambda: [body.get("erased") for body in receiver.bodies] == [ID])
    await finish(sync)
    assert await receipts(sync) == ["channel:e-shop"]
