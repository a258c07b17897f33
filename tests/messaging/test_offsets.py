"""Guarded offsets: what has had its effect is dropped, and who does not know how far we are is fenced."""

from __future__ import annotations

import pytest

from shared.messaging.offsets import Offsets
from shared.messaging.received import Intake, Received, Record
from shared.messaging.subscription import Subscription
from shared.messaging.transient import Fenced
from tests.messaging.memory import SESSION, Memory
from tests.messaging.records import placed, record, sequence
from tests.messaging.test_received import _ignore, read

PLACE = ("crm.sales", 0)


def at(offset: int, number: int | None = None) -> Record:
    return record(placed(offset), offset=offset, sequence=sequence(offset if number is None else number))


def events(records: list[Record]) -> list[Received]:
    return read(*records).events


async def take(offsets: Offsets, records: list[Record]) -> list[int]:
    """What a batch does; returns the numbers of the events that had an effect."""
    await offsets.load([PLACE])
    unseen = offsets.unseen(records)
    fresh = offsets.fresh(events(unseen))
    moved = offsets.after(unseen, fresh)
    await offsets.move(moved, SESSION)
    offsets.moved(moved)
    return [int(e.id[1:]) for e in fresh]


async def test_redelivered_records_are_dropped() -> None:
    offsets = Offsets(Memory().database, "g")
    assert await take(offsets, [at(0), at(1), at(2)]) == [0, 1, 2]
    assert await take(offsets, [at(1), at(2), at(3)]) == [3]


async def test_what_is_held_in_memory_is_what_is_stored() -> None:
    memory = Memory()
    await take(Offsets(memory.database, "g"), [at(0), at(1)])
    assert await take(Offsets(memory.database, "g"), [at(0), at(1), at(2)]) == [2]
    assert memory.documents("offsets")["g:crm.sales:0"]["next"] == 3


async def test_republished_events_are_dropped_within_and_across_batches() -> None:
    offsets = Offsets(Memory().database, "g")
    assert await take(offsets, [at(0, 10), at(1, 11), at(2, 10), at(3, 11)]) == [0, 1]
    assert await take(offsets, [at(4, 11), at(5, 12)]) == [5]


async def test_groups_know_nothing_of_each_other() -> None:
    memory = Memory()
    assert await take(Offsets(memory.database, "one"), [at(0)]) == [0]
    assert await take(Offsets(memory.database, "two"), [at(0)]) == [0]


async def test_whoever_has_stale_knowledge_is_fenced() -> None:
    memory = Memory()
    zombie, heir = Offsets(memory.database, "g"), Offsets(memory.database, "g")
    await take(zombie, [at(0)])
    await take(heir, [at(1), at(2)])
    with pytest.raises(Fenced):
        await take(zombie, [at(1)])
    zombie.forget()
    assert await take(zombie, [at(1), at(2), at(3)]) == [3]


async def test_two_who_begin_a_partition_at_once_do_not_both_succeed() -> None:
    memory = Memory()
    one, two = Offsets(memory.database, "g"), Offsets(memory.database, "g")
    await two.load([PLACE])
    await take(one, [at(0)])
    with pytest.raises(Fenced):
        await take(two, [at(0)])


async def test_forgetting_in_the_middle_of_a_batch_does_not_disturb_it() -> None:
    offsets = Offsets(Memory().database, "g")
    await offsets.load([PLACE])
    moved = offsets.after([at(0)], events([at(0)]))
    offsets.forget()
    await offsets.move(moved, SESSION)
    offsets.moved(moved)
    assert await take(offsets, [at(0), at(1)]) == [1]


async def test_a_log_made_anew_is_read_from_its_beginning_and_tells_nothing_twice() -> None:
    offsets = Offsets(Memory().database, "g")
    await take(offsets, [at(5), at(6)])
    assert await offsets.restart(PLACE, end=2)
    told_again, new = at(0, 6), at(1, 7)
    assert await take(offsets, [told_again, new]) == [1]


async def test_a_log_that_has_grown_is_not_begun_again() -> None:
    offsets = Offsets(Memory().database, "g")
    await take(offsets, [at(0), at(1)])
    assert not await offsets.restart(PLACE, end=2)
    assert await take(offsets, [at(1), at(2)]) == [2]


async def test_restarting_yields_to_whoever_has_moved_on() -> None:
    memory = Memory()
    zombie, heir = Offsets(memory.database, "g"), Offsets(memory.database, "g")
    await take(zombie, [at(0), at(1)])
    await take(heir, [at(2), at(3)])
    assert not await zombie.restart(PLACE, end=1)
    assert memory.documents("offsets")["g:crm.sales:0"]["next"] == 4


async def test_edge_events_have_no_sequence_to_compare() -> None:
    subscription = Subscription("g", (), _ignore)
    assert subscription.rules == {}
    intake = Intake()
    offsets = Offsets(Memory().database, "g")
    assert offsets.fresh(intake.events) == []
