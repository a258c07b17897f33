"""The outbox on its way to the broker: led by one, taken over, followed from where it was, whatever has been forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from bson import Timestamp

from shared.contracts.channels import INBOUND
from shared.contracts.interactions import SALES
from shared.contracts.topics import DEAD_LETTERS
from shared.messaging import Messaging, Outgoing, Subscription, Unit, dead_letters, relay
from shared.messaging.messaging import Unavailable
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, reported
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def tell(service: Messaging, *numbers: int) -> None:
    async def change(unit: Unit) -> None:
        for number in numbers:
            unit.forward(placed(number))

    await service.transact(change)


async def empty(rig: Rig, service: str = "shop") -> bool:
    return await rig.database(service)["outbox"].count_documents({}) == 0


async def state(rig: Rig) -> dict[str, Any]:
    found = await rig.database("shop")["relay"].find_one({})
    assert found is not None
    return found


async def led_by(rig: Rig, instance: str) -> bool:
    return bool((await state(rig)).get("holder") == instance)


async def test_events_leave_in_the_order_of_their_commits_and_the_outbox_is_empty(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (SALES,), heard))
    for number in range(0, 60, 3):
        await tell(service, number, number + 1, number + 2)
    await eventually(lambda: len(heard.events) >= 60)
    assert heard.ids == [f"e{n}" for n in range(60)]
    sequences = [event.sequence or "" for event in heard.events]
    assert sequences == sorted(set(sequences))
    await eventually(lambda: empty(rig))


async def test_what_is_rolled_back_is_not_told(rig: Rig) -> None:
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (SALES,), heard))

    async def fail(unit: Unit) -> None:
        unit.forward(placed(1))
        await unit.flush()
        raise KeyError

    with pytest.raises(KeyError):
        await service.transact(fail)
    await tell(service, 2)
    await eventually(lambda: heard.events)
    assert heard.ids == ["e2"]


async def test_what_was_told_before_anybody_relayed_leaves_when_somebody_does(rig: Rig) -> None:
    service = rig.unstarted("shop")
    await service._relay.pin()
    await rig.database("shop").create_collection("outbox")
    await tell(service, 1, 2)
    await service.start()
    await eventually(lambda: empty(rig))
    assert [record.offset for record in await rig.log(SALES.name)] == [0, 1]


async def test_one_relay_leads_and_the_other_takes_over_at_once_when_it_stops(rig: Rig) -> None:
    first = await rig.service("shop", instance="first")
    await eventually(lambda: led_by(rig, "first"))
    second = await rig.service("shop", instance="second")
    await tell(first, 1)
    await eventually(lambda: empty(rig))
    assert await led_by(rig, "first")
    await first.stop()
    await eventually(lambda: led_by(rig, "second"), within=relay.LEASE_MS / 1000)
    await tell(second, 2)
    await eventually(lambda: empty(rig))
    assert len(await rig.log(SALES.name)) == 2


async def test_the_other_takes_over_from_a_relay_that_has_died(rig: Rig) -> None:
    first = await rig.service("shop", instance="first")
    await eventually(lambda: led_by(rig, "first"))
    second = await rig.service("shop", instance="second")
    (task,) = (task for task in first._tasks if task.get_name() == "relay")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await tell(second, 1)
    await eventually(lambda: led_by(rig, "second"), within=3 * relay.LEASE_MS / 1000)
    await eventually(lambda: empty(rig))


async def test_a_relay_that_slept_through_its_lease_notices(rig: Rig) -> None:
    service = await rig.service("shop", instance="first")
    await eventually(lambda: led_by(rig, "first"))
    until = datetime.now(UTC) + timedelta(seconds=3)
    await rig.database("shop")["relay"].update_one({}, {"$set": {"holder": "thief", "until": until}})
    with pytest.raises(relay.LeaseLost):
        await service._relay._save()
    await tell(service, 1)
    await eventually(lambda: led_by(rig, "first"))
    await eventually(lambda: empty(rig))


async def test_a_lease_taken_under_a_clock_that_was_ahead_binds_nobody(rig: Rig) -> None:
    service = rig.unstarted("shop")
    await service._relay.pin()
    an_hour_ahead = {"holder": "dead", "until": datetime.now(UTC) + timedelta(hours=1)}
    await rig.database("shop")["relay"].update_one({}, {"$set": an_hour_ahead})
    assert await service._relay._acquire() is not None
    assert not await led_by(rig, "dead")


ELSEWHERE = (
    "82655E1F0A000000012B022C0100296E5A1004A1B2C3D4E5F60718293A4B5C6D7E8F9046645F69640064655E1F0A1234567890ABCDEF0004"
)
FORGOTTEN = [
    pytest.param({"$set": {"start": Timestamp(1, 1)}, "$unset": {"token": ""}}, id="the oplog's beginning"),
    pytest.param({"$set": {"token": {"_data": ELSEWHERE}}}, id="a token of another collection"),
    pytest.param({"$set": {"token": {"_data": "8200000001000000012B022C0100296E04"}}}, id="a token of no collection"),
    pytest.param({"$set": {"token": {"_data": "garbage"}}}, id="a token that is none"),
]


@pytest.mark.parametrize("forgotten", FORGOTTEN)
async def test_when_the_oplog_has_forgotten_the_place_everything_still_leaves_once(
    rig: Rig, forgotten: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SNAPSHOT_DOCUMENTS", 7)
    heard = Heard()
    first = await rig.service("shop", Subscription("g", (SALES,), heard), instance="first")
    await tell(first, 0)
    await eventually(lambda: heard.events)
    await first.stop()
    for number in range(1, 31):
        await tell(first, number)
    await rig.database("shop")["relay"].update_one({}, forgotten)
    second = await rig.service("shop", Subscription("g", (SALES,), heard), instance="second")
    await eventually(lambda: empty(rig))
    await tell(second, 31, 32)
    await eventually(lambda: len(heard.events) >= 33)
    assert heard.ids == [f"e{n}" for n in range(33)]
    await eventually(lambda: _follows(rig))


async def test_whoever_goes_on_after_a_relay_that_failed_without_its_place_tells_nothing_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker was away for as long as the oplog reaches back, and is so again when a part of what waited has left."""
    monkeypatch.setattr(relay, "SNAPSHOT_DOCUMENTS", 7)
    heard = Heard()
    first = await rig.service("shop", Subscription("g", (SALES,), heard), instance="first")
    await tell(first, 0)
    await eventually(lambda: heard.events)
    await first.stop()
    for number in range(1, 21):
        await tell(first, number)
    await rig.database("shop")["relay"].update_one({}, {"$set": {"token": {"_data": "garbage"}}})
    second = rig.unstarted("shop", Subscription("g", (SALES,), heard), instance="second")
    publish, left = second._producer.publish, iter([False, False, False, True, False, True])

    async def sometimes(records: Sequence[Outgoing]) -> None:
        if next(left, False):
            raise KafkaError
        await publish(records)

    monkeypatch.setattr(second._producer, "publish", sometimes)
    await second.start()
    await eventually(lambda: empty(rig), within=30)
    await tell(second, 21)
    await eventually(lambda: "e21" in heard.ids)
    assert heard.ids == [f"e{n}" for n in range(22)]


async def _follows(rig: Rig) -> bool:
    return "token" in await state(rig)


async def test_the_largest_inbound_record_goes_through_as_a_dead_letter_and_back(rig: Rig) -> None:
    service = await rig.service("shop", Subscription("g", (INBOUND,), Heard()))
    large = reported(1, data=b"x" * (INBOUND.max_message_bytes - 2000))
    await service.send([large])
    await eventually(lambda: _logged(rig, DEAD_LETTERS.name, 1), within=40)
    letter = dead_letters.read((await rig.log(DEAD_LETTERS.name))[0])
    assert (letter.value, letter.reason.value) == (large.value, "too-large")

    async def send_back(unit: Unit) -> None:
        unit.forward(dead_letters.replay(letter))

    await service.transact(send_back)
    await eventually(lambda: _logged(rig, DEAD_LETTERS.name, 2), within=40)
    again = {dead_letters.read(record).id for record in await rig.log(DEAD_LETTERS.name)}
    assert again == {letter.id, f"{letter.id}~1"}
    await eventually(lambda: empty(rig))


async def _logged(rig: Rig, topic: str, records: int) -> bool:
    return len(await rig.log(topic)) >= records


async def test_a_refused_batch_does_not_spoil_the_producer_for_ever(rig: Rig) -> None:
    """The broker counts what an idempotent producer sends, and the client counts what the broker has refused."""
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (INBOUND,), heard))
    await service.send([reported(1)])
    with pytest.raises(Unavailable):
        await service.send([Outgoing(INBOUND.name, b"c1", b"x" * (INBOUND.max_message_bytes + 1), [])])
    for number in range(2, 5):
        await service.send([reported(number)])
    await eventually(lambda: len(heard.events) >= 4)
    assert heard.ids == ["e1", "e2", "e3", "e4"]


async def test_a_round_that_the_broker_refused_is_not_settled_with_those_before_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SETTLE_SECONDS", 60.0)
    heard = Heard()
    service = await rig.service("shop", Subscription("g", (SALES,), heard))
    await tell(service, 0)
    await eventually(lambda: heard.events)
    await tell(service, 1)
    await eventually(lambda: len(heard.events) >= 2)
    refusals = iter([KafkaError("no")])
    publish = service._producer.publish

    async def sometimes(records: Sequence[Outgoing]) -> None:
        for refusal in refusals:
            raise refusal
        await publish(records)

    monkeypatch.setattr(service._producer, "publish", sometimes)
    await tell(service, 2)
    await eventually(lambda: len(heard.events) >= 3)
    assert heard.ids == ["e0", "e1", "e2"]


async def test_the_age_of_the_outbox_is_measured(rig: Rig) -> None:
    service = await rig.service("shop")
    await tell(service, 1)
    await eventually(lambda: empty(rig))
    await service._relay._measure()
    assert _age() == 0.0
    await rig.database("shop")["outbox"].insert_one({"at": datetime.now(UTC) - timedelta(minutes=5), "events": []})
    await service._relay._measure()
    assert 299 < _age() < 400


def _age() -> float:
    from shared import metrics

    return float(metrics.OUTBOX_AGE.labels("shop")._value.get())
