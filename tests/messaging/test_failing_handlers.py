"""Handlers that fail, hang or are stopped midway: nothing is lost, and the service says how it is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import pytest

from shared.contracts.channels import INBOUND
from shared.contracts.fact import Reason, Topic
from shared.contracts.interactions import SALES
from shared.messaging import Messaging, Outgoing, Received, Subscription, Unit
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, reported
from tests.waiting import eventually

pytestmark = pytest.mark.integration


class Failing(Heard):
    """Fails as often as it is told to, with an error that nobody foresaw."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.attempts: list[float] = []

    async def __call__(self, unit: Unit, events: Sequence[Received]) -> None:
        self.attempts.append(time.monotonic())
        if len(self.attempts) <= self.failures:
            raise RuntimeError("something nobody foresaw")
        await super().__call__(unit, events)


async def test_a_handler_that_raises_once_gets_the_batch_again(rig: Rig) -> None:
    handler = Failing(1)
    service = await rig.service("shop", Subscription("g", (INBOUND,), handler))
    await service.send([reported(n) for n in range(6)])
    await eventually(lambda: len(handler.events) >= 6)
    assert handler.ids == [f"e{n}" for n in range(6)]
    await eventually(lambda: rig.committed("g", INBOUND.name))


async def test_a_handler_that_always_raises_backs_off_and_nothing_is_committed(rig: Rig) -> None:
    handler = Failing(10**9)
    service = await rig.service("shop", Subscription("g", (INBOUND,), handler), max_consecutive_dead_letters=1)
    await service.send([reported(n) for n in range(6)])
    await eventually(lambda: len(handler.attempts) >= 20)
    assert await rig.committed("g", INBOUND.name) == 0
    spread = handler.attempts[-1] - handler.attempts[0]
    assert len(handler.attempts) / spread < 60, "a failing handler must not be called in a hot loop"
    ready, report = await service.ready()
    assert (ready, report["halted"]) == (False, True)
    assert (await service.live())[0], "trying again is not being stuck"


class Swollen(Heard):
    """Of one customer it knows more by now than can be told."""

    async def __call__(self, unit: Unit, events: Sequence[Received]) -> None:
        for event in events:
            if event.id.endswith("3"):
                unit.tell(SALES, "grown", b"x" * SALES.max_message_bytes, key=event.subject)
        await super().__call__(unit, events)


@pytest.mark.parametrize(("topic", "record"), [(INBOUND, reported), (SALES, placed)])
async def test_whoever_lets_the_data_of_one_customer_grow_too_large_halts_nobody(
    rig: Rig, topic: Topic, record: Callable[[int], Outgoing]
) -> None:
    """Else a channel that may report contacts could stop what all others report, and what follows from it."""
    handler = Swollen()
    service = await rig.service("shop", Subscription("g", (topic,), handler), max_consecutive_dead_letters=2)
    await service.send([record(n) for n in (3, 13, 23, 33, 43, 1)])
    await eventually(lambda: handler.ids == ["e1"])
    assert (await service.ready())[1]["halted"] is False

    async def refused() -> bool:
        return [one.reason for one in await rig.letters()] == [Reason.TOO_LARGE] * 5

    await eventually(refused)


async def test_a_sale_too_many_of_our_own_is_halted_at_and_resumed(rig: Rig) -> None:
    """A thousand orders of a bad release: nothing is refused, readiness fails, and good ones go on afterwards."""
    handler = Failing(10**9)
    service = await rig.service("shop", Subscription("g", (SALES,), handler), max_consecutive_dead_letters=5)
    await service.send([placed(n, n) for n in range(200)])
    await eventually(lambda: _halted(service))
    assert await rig.committed("g", SALES.name) == 0
    handler.failures = 0
    await eventually(lambda: len(handler.events) >= 195)
    await eventually(lambda: _ready(service))
    assert len(handler.events) + len(await rig.letters()) == 200


async def _halted(service: Messaging) -> bool:
    return bool((await service.ready())[1]["halted"])


async def _ready(service: Messaging) -> bool:
    return (await service.ready())[0]


async def test_stopping_in_the_middle_of_a_batch_loses_nothing(rig: Rig) -> None:
    entered, applied = asyncio.Event(), Heard()

    async def slow(unit: Unit, events: Sequence[Received]) -> None:
        entered.set()
        await asyncio.to_thread(time.sleep, 0.3)
        await unit.database["told"].insert_many([{"_id": e.id} for e in events], session=unit.session)
        await applied(unit, events)

    first = await rig.service("shop", Subscription("g", (INBOUND,), slow), batch_records=20)
    await first.send([reported(n, f"c{n}") for n in range(100)])
    await entered.wait()
    await first.stop()
    done = len(applied.events)
    assert 0 < done < 100, "the batch in hand is finished, and no other is begun"
    await rig.service("shop", Subscription("g", (INBOUND,), slow), batch_records=20)
    await eventually(lambda: _told(rig, 100))
    assert len(applied.events) == 100


async def _told(rig: Rig, count: int) -> bool:
    return await rig.database("shop")["told"].count_documents({}) == count


async def test_a_stuck_handler_is_not_alive(rig: Rig) -> None:
    release, entered = asyncio.Event(), asyncio.Event()

    async def stuck(unit: Unit, events: Sequence[Received]) -> None:
        entered.set()
        await release.wait()

    service = await rig.service("shop", Subscription("g", (INBOUND,), stuck), stuck_after_seconds=0.5)
    await service.send([reported(1)])
    await entered.wait()
    await eventually(lambda: _dead(service))
    release.set()
    await eventually(lambda: _alive(service))


async def test_a_consume_loop_that_has_died_is_not_alive(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard), stuck_after_seconds=3)
    await service.send([reported(1)])
    await eventually(lambda: heard.events)
    for task in service._listeners[0]._subscriber.tasks:
        task.cancel()
    assert (await service.live())[0]
    await service.send([reported(2)])
    await eventually(lambda: _dead(service))


async def _dead(service: Messaging) -> bool:
    return not (await service.live())[0]


async def _alive(service: Messaging) -> bool:
    return not await _dead(service)


async def test_an_idle_consumer_is_alive(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()), stuck_after_seconds=2.5)
    progress = service._listeners[0].progress
    first = progress.moved_at
    await eventually(lambda: progress.moved_at > first + 4)
    assert (await service.live())[0]
