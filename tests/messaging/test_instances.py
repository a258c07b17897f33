"""Several instances of one service: joining, leaving, losing partitions without knowing it; and logs made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from pymongo import UpdateOne

from deploy.local import topics as local_topics
from shared import mongo
from shared.contracts.channels import INBOUND
from shared.contracts.interactions import SALES
from shared.messaging import Received, Subscription, Unit
from shared.messaging.consumer import Consumer
from shared.messaging.offsets import Offsets
from shared.messaging.transient import Fenced
from shared.mongo import Database, Session
from tests.messaging.conftest import Heard, Rig
from tests.messaging.records import placed, record, reported, sequence
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def count(unit: Unit, events: Sequence[Received]) -> None:
    """Adds to each customer's number of events, which shows a lost or doubled one."""
    counts: dict[str, int] = {}
    for event in events:
        counts[event.subject] = counts.get(event.subject, 0) + 1
    writes = [UpdateOne({"_id": c}, {"$inc": {"events": n}}, upsert=True) for c, n in counts.items()]
    await unit.database["counts"].bulk_write(writes, session=unit.session)


async def counted(database: Database) -> dict[str, int]:
    return {d["_id"]: d["events"] async for d in database["counts"].find()}


async def test_instances_join_and_leave_while_events_flow(rig: Rig) -> None:
    customers, rounds = 40, 60
    subscription = Subscription("g", (INBOUND,), count)
    first = await rig.service("shop", subscription, batch_records=50)

    async def send() -> None:
        for number in range(rounds):
            await first.send([reported(number * customers + c, f"c{c}") for c in range(customers)])
            await eventually(lambda sent=number: _counted_at_least(rig, (sent - 5) * customers), within=60)  # type: ignore[misc]

    async def come_and_go() -> None:
        others = [await rig.service("shop", subscription, batch_records=50) for _ in range(3)]
        for other in others:
            await other.stop()

    await asyncio.gather(send(), come_and_go())
    expected = {f"c{c}": rounds for c in range(customers)}
    await eventually(lambda: _equal(rig, expected), within=60)


async def _counted_at_least(rig: Rig, wanted: int) -> bool:
    return sum((await counted(rig.database("shop"))).values()) >= wanted


async def _equal(rig: Rig, expected: dict[str, int]) -> bool:
    found = await counted(rig.database("shop"))
    assert found == expected
    return True


def at(offset: int, topic: str = "crm.sales") -> Any:
    return record(placed(offset), offset=offset, sequence=sequence(offset))


async def moved(offsets: Offsets, rig: Rig, *, until: int) -> None:
    await offsets.load([("crm.sales", 0)])
    positions = offsets.after([at(until)], [])

    async def change(session: Session) -> None:
        await offsets.move(positions, session)

    await mongo.transaction(rig.client, change)
    offsets.moved(positions)


async def test_a_zombie_is_fenced_by_the_database(rig: Rig) -> None:
    zombie, heir = Offsets(rig.database("shop"), "g"), Offsets(rig.database("shop"), "g")
    await moved(zombie, rig, until=0)
    await moved(heir, rig, until=5)
    with pytest.raises(Fenced):
        await moved(zombie, rig, until=1)


async def test_a_zombies_batch_has_no_effect_and_its_retry_only_what_is_missing(rig: Rig) -> None:
    database = rig.database("shop")
    await database.create_collection("counts")
    subscription = Subscription("g", (SALES,), count)
    settings = rig.settings.model_copy(update={"namespace": ""})
    zombie, heir = (Consumer("shop", subscription, settings, rig.client, database) for _ in range(2))
    await zombie.process([at(0)])
    await heir.process([at(n) for n in range(5)])
    with pytest.raises(Fenced):
        await zombie.process([at(n) for n in range(1, 8)])
    assert sum((await counted(database)).values()) == 5
    await zombie.process([at(n) for n in range(1, 8)])
    assert sum((await counted(database)).values()) == 8


async def test_an_instance_that_slept_does_not_take_an_old_end_for_a_new_log(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows an end of the log from before it slept, while another instance has gone beyond that."""
    service = await rig.service("shop", Subscription("g", (INBOUND,), count))
    await service.send([reported(0)])
    await eventually(lambda: _equal(rig, {"c1": 1}))
    listener = service._listeners[0]
    (stale,) = await rig.log(INBOUND.name)
    monkeypatch.setattr(listener._client, "highwater", lambda _: 1)
    await service.send([reported(1), reported(2)])
    await eventually(lambda: _equal(rig, {"c1": 3}))
    await listener._handle((stale,))
    assert await counted(rig.database("shop")) == {"c1": 3}
    guard = await rig.database("shop")["offsets"].find_one({"_id": f"g:{stale.topic}:{stale.partition}"})
    assert guard is not None
    assert guard["next"] == 3


async def test_a_topic_made_anew_is_read_from_its_beginning(rig: Rig) -> None:
    heard = Heard()
    subscription = Subscription("g", (INBOUND,), heard)
    first = await rig.service("shop", subscription)
    await first.send([reported(n) for n in range(20)])
    await eventually(lambda: len(heard.events) >= 20)
    await first.stop()
    bootstrap, namespace = rig.settings.kafka_bootstrap, rig.settings.namespace
    await local_topics.delete(bootstrap, namespace, (INBOUND,))
    await eventually(lambda: _created(rig))
    second = await rig.service("shop", subscription)
    await second.send([reported(n) for n in range(100, 105)])
    await eventually(lambda: len(heard.events) >= 25)
    assert heard.ids[20:] == [f"e{n}" for n in range(100, 105)]


async def _created(rig: Rig) -> bool:
    """The broker takes a moment to forget a topic that it has deleted."""
    try:
        await local_topics.create(rig.settings.kafka_bootstrap, rig.settings.namespace, rig.settings.partitions)
    except Exception as error:
        raise AssertionError(str(error)) from error
    return True


async def test_one_customers_events_from_all_topics_come_to_one_instance(rig: Rig) -> None:
    heard = [Heard(), Heard()]
    services = [await rig.service("shop", Subscription("g", (SALES, INBOUND), one), batch_records=20) for one in heard]
    await eventually(lambda: all(service._listeners[0]._client.assignment() for service in services))
    keys = [f"c{n}" for n in range(40)]
    await services[0].send([reported(n, key) for n, key in enumerate(keys)])
    orders = [placed(1000 + n) for n in range(len(keys))]
    await services[0].send([o._replace(key=key.encode()) for o, key in zip(orders, keys, strict=True)])
    await eventually(lambda: sum(len(one.events) for one in heard) >= 80)
    first, second = ({event.subject for event in one.events} for one in heard)
    assert first
    assert second
    assert not first & second
