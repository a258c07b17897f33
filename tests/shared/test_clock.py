"""Now on the wall, and now in a history that is being played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.clock import StreamClock, WallClock, clock
from shared.contracts.channels import INBOUND
from shared.messaging import Received, Subscription, Unit
from shared.messaging.consumer import Consumer
from tests.messaging.conftest import Rig, rig
from tests.messaging.records import TIME, record, reported

__all__ = ["rig"]
SOON = timedelta(seconds=5)


async def test_the_wall_shows_what_time_it_is() -> None:
    assert abs(await WallClock().now() - datetime.now(UTC)) < SOON


def events(*days: int, partition: int = 0) -> list[Received]:
    from tests.messaging.test_received import only, read

    first = only(read(record(reported(1), partition=partition)))
    return [replace(first, time=TIME + timedelta(days=day)) for day in days]


async def witness(rig: Rig, one: StreamClock, heard: Sequence[Received]) -> datetime:
    async def change(unit: Unit) -> datetime:
        await one.witness(unit, heard)
        return await one.now(unit.session)

    return await rig.unstarted("clock").transact(change)


@pytest.mark.integration
async def test_before_the_first_event_the_stream_shows_the_walls_time(rig: Rig) -> None:
    assert abs(await StreamClock(rig.database("clock")).now() - datetime.now(UTC)) < SOON


@pytest.mark.integration
async def test_the_stream_shows_the_newest_time_seen_and_never_goes_back(rig: Rig) -> None:
    one = StreamClock(rig.database("clock"))
    assert await witness(rig, one, events(1, 3, 2)) == TIME + timedelta(days=3)
    assert await witness(rig, one, events(2)) == TIME + timedelta(days=3)
    assert await witness(rig, one, events(4, partition=1)) == TIME + timedelta(days=4)
    assert await StreamClock(rig.database("clock")).now() == TIME + timedelta(days=4)


@pytest.mark.integration
async def test_what_a_failed_batch_has_witnessed_is_forgotten(rig: Rig) -> None:
    one = StreamClock(rig.database("clock"))
    await witness(rig, one, events(1))

    async def fail(unit: Unit, heard: Sequence[Received]) -> None:
        await one.witness(unit, events(9))
        raise KeyError

    subscription = Subscription("g", (INBOUND,), fail)
    settings = rig.settings.model_copy(update={"namespace": ""})
    consumer = Consumer("clock", subscription, settings, rig.client, rig.database("clock"))
    with pytest.raises(KeyError):
        await consumer.process([record(reported(1))])
    assert await one.now() == TIME + timedelta(days=1)


@pytest.mark.integration
async def test_the_settings_choose_the_clock(rig: Rig) -> None:
    database = rig.database("clock")
    assert isinstance(clock(rig.settings, database), WallClock)
    assert isinstance(clock(rig.settings.model_copy(update={"clock": "stream"}), database), StreamClock)
