"""The open loop: who is due when, and whether a generator that falls behind says so. Time is made up where possible."""

import asyncio
import time

import pytest

from tests.load import Lateness, Pacer, Schedule
from tests.waiting import eventually


def test_messages_are_due_at_a_fixed_rate_from_the_first_moment_on() -> None:
    schedule = Schedule(began=100.0, rate=50.0)
    assert [schedule.due(now) for now in (99.0, 100.0, 100.019, 100.021, 101.001)] == [0, 1, 1, 2, 51]
    assert schedule.at(0) == 100.0
    assert schedule.at(25) == 100.5


def test_a_generator_in_time_is_not_void() -> None:
    schedule, lateness = Schedule(0.0, 1000.0), Lateness()
    for now in range(1, 100):
        lateness.note(schedule, 10, now / 100)
    assert lateness.void == ""
    assert lateness.late == 0
    assert lateness.worst == pytest.approx(0.01)


def test_more_than_one_percent_of_late_messages_make_it_void() -> None:
    schedule, lateness = Schedule(0.0, 1000.0), Lateness()
    lateness.note(schedule, 900, 0.9)
    assert lateness.late == pytest.approx(850, abs=1)
    assert f"{lateness.late} of 900" in lateness.void


def test_a_short_stall_within_one_percent_is_forgiven_but_told() -> None:
    schedule, lateness = Schedule(0.0, 1000.0), Lateness()
    for hundredth in range(1, 6000):
        if hundredth % 1000 != 999:
            lateness.note(schedule, schedule.due(hundredth / 100) - lateness.left, hundredth / 100)
    lateness.note(schedule, 100, 60.5)
    assert 0 < lateness.late < 0.01 * lateness.left
    assert lateness.void == ""
    assert lateness.worst > 0.5


def test_ending_behind_the_schedule_makes_it_void_even_if_nobody_was_late_by_much() -> None:
    schedule, lateness = Schedule(0.0, 1000.0), Lateness(tolerated=10.0)
    lateness.note(schedule, 1000, 12.0)
    assert "behind a schedule" in Lateness(0.05, left=1000, planned=1.0, overtime=0.2).void
    assert lateness.void != ""


async def test_all_items_leave_in_order_and_none_before_its_time() -> None:
    left: list[tuple[float, int]] = []
    schedule = Schedule(time.monotonic(), 2000.0)
    pacer: Pacer[int] = Pacer(
        schedule, lambda batch: left.extend((time.monotonic(), item) for item in batch), Lateness()
    )
    assert await pacer.run(range(200)) == 200
    assert [item for _, item in left] == list(range(200))
    assert all(at >= schedule.at(item) for at, item in left)


async def test_a_stalled_loop_is_caught_up_with_and_counted_as_late() -> None:
    def stall(batch: list[int]) -> None:
        if batch[0] == 0:
            time.sleep(0.2)

    lateness = Lateness()
    pacer: Pacer[int] = Pacer(Schedule(time.monotonic(), 1000.0), stall, lateness)
    assert await pacer.run(range(300)) == 300
    assert lateness.late >= 100
    assert lateness.void


async def test_it_stops_when_told_to() -> None:
    left: list[int] = []
    pacer: Pacer[int] = Pacer(Schedule(time.monotonic(), 100.0), left.extend, Lateness())
    running = asyncio.create_task(pacer.run(range(10**9)))
    await eventually(lambda: len(left) > 3)
    pacer.stopped.set()
    assert await asyncio.wait_for(running, 5) == len(left)
