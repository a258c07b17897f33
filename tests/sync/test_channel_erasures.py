"""What channels owe of an erasure: a receipt is told when all that a channel was ever sent of the customers is withdrawn from it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from aiohttp import web
from pymongo.errors import AutoReconnect

from services.sync.domain.positions import read_event_id
from services.sync.handlers.erasing import ASK_AGAIN, NoSuchOwed, NotAcknowledgeable
from services.sync.handlers.streams import Stream
from services.sync.store.owing import COLLECTION
from shared.contracts.erasures import ErasureAwaited
from shared.messaging.outbox import Told
from tests.sync.conftest import Sync, now
from tests.sync.delivering import delivered, delivering
from tests.sync.facts import ANNA, BERT, CLEO, contact, order
from tests.sync.forgetting import ID, erase, finish, receipts
from tests.sync.receiver import Receiver
from tests.waiting import eventually

pytestmark = pytest.mark.integration


def stream(sync: Sync, last: str | None = None) -> Stream:
    return Stream("desk", read_event_id(last) if last else None, sync.line(), lambda: True)


class Client:
    """The channel's end of a stream."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self.chunks = chunks
        self.bodies: list[dict[str, Any]] = []
        self.last = ""

    async def take(self, count: int) -> list[dict[str, Any]]:
        """So many more events, and those that came along with the last of them."""
        before = len(self.bodies)
        while len(self.bodies) < before + count:
            for line in (await anext(self.chunks)).splitlines():
                if line.startswith(b"id: "):
                    self.last = line[4:].decode()
                if line.startswith(b"data: "):
                    self.bodies.append(orjson.loads(line[6:]))
        return self.bodies[before:]


async def acknowledge(sync: Sync, customer: str | None, channel: str = "desk") -> None:
    await sync.transact(lambda unit: sync.erasures.acknowledge(ID, channel, customer, unit))


async def test_a_webhooks_answer_is_its_receipt_and_a_channel_that_knew_nothing_is_not_told(
    sync: Sync, receiver: Receiver
) -> None:
    _, receiver.secret = await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    dispatch = sync.dispatch()
    async with delivering(dispatch):
        await delivered(sync, 1)
        await sync.register(channel_id="late", kind="sse")
        told = await erase(sync, ANNA)
        awaited = [ErasureAwaited.model_validate_json(one.value) for one in told if isinstance(one, Told)]
        assert [one.place for one in awaited] == ["channel:e-shop"]
        await delivered(sync, 2)
    assert receiver.bodies[-1]["erased"] == ID
    assert await receipts(sync) == []
    await finish(sync)
    assert await receipts(sync) == ["channel:e-shop"]
    assert await receipts(sync) == []
    assert not await sync.deliveries.receipts("late", [ANNA])


async def test_a_channel_is_not_done_before_sync_is_since_it_may_still_be_shown_somebody(
    sync: Sync, receiver: Receiver
) -> None:
    """Of Bert nothing was known at the first look; a batch that knew nothing of the erasure brings him in."""
    await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        await erase(sync, ANNA, BERT)
        await delivered(sync, 2)
        assert await receipts(sync) == []
        await sync.happen(contact(BERT))
        await delivered(sync, 3)
        assert receiver.bodies[-1]["customer"]["contact"]["name"]
        await erase(sync, ANNA, BERT)
        await finish(sync)

        async def done() -> bool:
            return await receipts(sync) == ["channel:e-shop"]

        await eventually(done)
    assert [body["erased"] for body in receiver.bodies if "erased" in body] == [ID, ID]


async def test_a_channel_that_has_failed_for_good_is_asked_again_every_day(sync: Sync, receiver: Receiver) -> None:
    await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA), *(order(f"019aa6ff-0000-7000-8000-{n:012x}") for n in range(30)))
    async with delivering(sync.dispatch()):
        await delivered(sync, 31)
        receiver.answer = lambda said: web.Response(status=500 if "erased" in said else 204)
        await erase(sync, ANNA)
        await finish(sync)

        async def failed() -> bool:
            return (await sync.deliveries.owed("e-shop"))[1] == 1

        await eventually(failed)
        assert await receipts(sync) == []
        assert (await sync.deliveries.owed("e-shop"))[1] == 1
        sync.erasures.now = lambda: now() + ASK_AGAIN
        receiver.answer = lambda _: web.Response(status=204)
        assert await receipts(sync) == []
        sync.erasures.now = now
        await sync.deliveries.deliveries.update_one({"customer": ANNA}, {"$set": {"retry.next_at": now()}})

        async def acknowledged() -> bool:
            return await receipts(sync) == ["channel:e-shop"]

        await eventually(acknowledged)


async def test_a_streams_receipt_is_of_all_the_customers_it_was_sent_each_by_its_own_word(sync: Sync) -> None:
    """Of Cleo, who is erased too, it was never sent anything."""
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA), contact(BERT))
    client = Client(stream(sync).chunks())
    assert len(await client.take(2)) == 2
    told = await erase(sync, ANNA, BERT, CLEO)
    assert [ErasureAwaited.model_validate_json(one.value).place for one in told if isinstance(one, Told)] == [
        "channel:desk"
    ]
    await finish(sync)
    with pytest.raises(NotAcknowledgeable):
        await acknowledge(sync, ANNA)  # it is not sent yet: it can only have been guessed
    bodies = await client.take(2)
    assert {(body["customer_id"], body["erased"]) for body in bodies} == {(ANNA, ID), (BERT, ID)}
    assert await receipts(sync) == []
    with pytest.raises(NotAcknowledgeable):
        await acknowledge(sync, None)  # of whom?
    await acknowledge(sync, ANNA)
    await acknowledge(sync, ANNA)
    assert await receipts(sync) == []
    for customer, channel in ((CLEO, "desk"), (ANNA, "other")):
        with pytest.raises(NoSuchOwed):
            await acknowledge(sync, customer, channel)
    await acknowledge(sync, BERT)
    assert await receipts(sync) == ["channel:desk"]
    await acknowledge(sync, BERT)
    assert await receipts(sync) == []


async def test_where_a_stream_was_sent_one_customer_only_the_erasure_says_enough(sync: Sync) -> None:
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA))
    client = Client(stream(sync).chunks())
    await client.take(1)
    await sync.happen(contact(BERT))
    await erase(sync, ANNA, BERT)
    await finish(sync)
    with pytest.raises(NotAcknowledgeable):
        await acknowledge(sync, None)
    await client.take(1)
    await acknowledge(sync, None)
    assert await receipts(sync) == ["channel:desk"]


async def test_what_went_over_a_stream_is_not_acknowledged_by_the_channels_being_a_webhook_now(
    sync: Sync, receiver: Receiver
) -> None:
    """The stream was sent the erasure, and never said that it had done it."""
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA))
    client = Client(stream(sync).chunks())
    await client.take(1)
    await erase(sync, ANNA)
    await finish(sync)
    await client.take(1)
    await sync.transact(lambda unit: sync.channels.remove(unit, "desk"))
    _, receiver.secret = await sync.register(channel_id="desk", url=receiver.url)
    assert await receipts(sync) == []
    async with delivering(sync.dispatch()):

        async def acknowledged() -> bool:
            return await receipts(sync) == ["channel:desk"]

        await eventually(acknowledged)
    assert [body["erased"] for body in receiver.bodies] == [ID]


async def test_a_webhooks_answer_stays_its_receipt_when_the_channel_is_removed(sync: Sync, receiver: Receiver) -> None:
    _, receiver.secret = await sync.register(url=receiver.url)
    await sync.happen(contact(ANNA))
    async with delivering(sync.dispatch()):
        await delivered(sync, 1)
        await erase(sync, ANNA)
        await delivered(sync, 2)
    await sync.transact(lambda unit: sync.channels.remove(unit, "e-shop"))
    await sync.channels.refresh()
    await finish(sync)
    assert await receipts(sync) == ["channel:e-shop"]


async def test_what_a_stream_is_sent_is_on_record_before_it_goes_out(sync: Sync) -> None:
    """Else a channel that has got it would never hear that the customer is erased."""
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA))

    async def away(_: Any) -> None:
        raise AutoReconnect("away")

    broken = Stream("desk", None, replace(sync.line(), transact=away), lambda: True)
    assert [chunk async for chunk in broken.chunks()] == []
    client = Client(stream(sync).chunks())
    await client.take(1)
    assert (await sync.deliveries.receipts("desk", [ANNA]))[ANNA].version == 1


async def test_a_stream_that_does_not_say_so_is_sent_it_again_every_day(sync: Sync) -> None:
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA), contact(BERT))
    client = Client(stream(sync).chunks())
    await client.take(2)
    await erase(sync, ANNA, BERT)
    await finish(sync)
    await client.take(2)
    await acknowledge(sync, BERT)
    # It comes back behind what it has seen, and has forgotten what it owed.
    client = Client(stream(sync, client.last).chunks())
    assert await receipts(sync) == []
    assert await sync.deliveries.due("desk", now(), 10) == []
    sync.erasures.now = lambda: now() + ASK_AGAIN
    assert await receipts(sync) == []
    sync.erasures.now = now
    await sync.deliveries.deliveries.update_one({"customer": ANNA}, {"$set": {"retry.next_at": now()}})
    [body] = await client.take(1)
    assert (body["customer_id"], body["erased"]) == (ANNA, ID)
    await acknowledge(sync, ANNA)
    assert await receipts(sync) == ["channel:desk"]


async def test_an_operator_vouches_for_a_channel_that_is_no_more(sync: Sync) -> None:
    await sync.register(channel_id="desk", kind="sse")
    await sync.happen(contact(ANNA), contact(BERT))
    await Client(stream(sync).chunks()).take(2)
    await sync.transact(lambda unit: sync.channels.remove(unit, "desk"))
    await sync.channels.refresh()
    await erase(sync, ANNA, BERT)
    await finish(sync)
    sync.erasures.now = lambda: now() + ASK_AGAIN
    assert await receipts(sync) == []
    for _ in range(2):
        await sync.transact(lambda unit: sync.erasures.vouch(ID, "desk", unit))
    assert await sync.database[COLLECTION].count_documents({"done_at": None}) == 0
    with pytest.raises(NoSuchOwed):
        await sync.transact(lambda unit: sync.erasures.vouch(ID, "other", unit))
