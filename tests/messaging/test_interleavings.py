"""Whatever way records come (interleaved, redelivered, republished, through dying instances), the state is the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings as effort, strategies as st
from pymongo import InsertOne, UpdateOne

from shared.contracts.interactions import SALES
from shared.messaging import Received, Subscription, Transient, Unit
from shared.messaging.consumer import Consumer
from shared.messaging.received import Record
from shared.settings import PlatformSettings
from tests.messaging.memory import Memory
from tests.messaging.records import placed, record, sequence

PARTITIONS = 3
CUSTOMERS = 5


@dataclass(frozen=True)
class Log:
    """One partition: its records, and the numbers of its events in the order in which they were first published."""

    records: list[Record]
    numbers: list[int]


@st.composite
def logs(draw: st.DrawFn) -> list[Log]:
    """What relays that may die between publishing and noting it leave behind."""
    return [_published(partition, draw(rounds)) for partition in range(PARTITIONS)]


rounds = st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=6)
"""How many events each round publishes, and whether the relay dies before it has noted that."""


def _published(partition: int, rounds: Sequence[tuple[int, bool]]) -> Log:
    """The first partition is written by somebody without sequences, who therefore must not publish anything twice."""
    plain = partition == 0
    records: list[Record] = []
    first = newest = 0
    for count, dies in rounds:
        for number in range(first, first + count):
            unique = partition * 1000 + number
            event = placed(unique, unique % CUSTOMERS)
            stamp = None if plain else sequence(number)
            records.append(record(event, partition=partition, offset=len(records), sequence=stamp))
        newest = max(newest, first + count)
        first = first if dies and not plain else first + count
    return Log(records, [partition * 1000 + n for n in range(newest)])


faults = st.sampled_from([None, None, "before", "after", "handler"])
takes = st.tuples(
    st.integers(0, 1),  # which of two instances
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 50)), min_size=PARTITIONS, max_size=PARTITIONS),
    faults,
    st.booleans(),  # whether a rebalance makes it forget first
)


class Story:
    """Two instances of one service over one database."""

    def __init__(self, logs: Sequence[Log]) -> None:
        self.logs = logs
        self.memory = Memory()
        self.handler_fails = False
        subscription = Subscription("g", (SALES,), self.fold)
        self.instances = [
            Consumer("x", subscription, PlatformSettings(), self.memory.client, self.memory.database) for _ in range(2)
        ]

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """Keeps the customers' events in order, which is what a lost, doubled or swapped one would show in."""
        states: Any = unit.database["states"]
        known = {d["_id"]: d["events"] async for d in states.find({})}
        new: dict[str, list[str]] = {}
        for event in events:
            new.setdefault(event.subject, []).append(event.id)
        writes = [
            UpdateOne({"_id": c}, {"$set": {"events": known[c] + ids}})
            if c in known
            else InsertOne({"_id": c, "events": ids})
            for c, ids in new.items()
        ]
        if writes:
            await states.bulk_write(writes)
        if self.handler_fails:
            raise Transient("what it needs is away")

    def delivered(self, window: Sequence[tuple[int, int]]) -> list[Record]:
        """From somewhere at or before what was done last, as a broker delivers."""
        records: list[Record] = []
        for partition, (back, count) in enumerate(window):
            document = self.memory.documents("offsets").get(f"g:crm.sales:{partition}")
            begin = max(0, (document["next"] if document else 0) - back)
            records += self.logs[partition].records[begin : begin + count]
        return records

    async def take(self, instance: int, window: Sequence[tuple[int, int]], fault: str | None, forgets: bool) -> None:
        records = self.delivered(window)
        if forgets:
            self.instances[instance].offsets.forget()
        self.handler_fails = fault == "handler"
        self.memory.faults.clear()
        if fault in ("before", "after"):
            self.memory.faults.append(fault)
        try:
            await self.instances[instance].process(records)
        except Exception:  # noqa: BLE001 - it comes again, from wherever
            return

    async def finish(self) -> None:
        self.handler_fails = False
        self.memory.faults.clear()
        everything = [record for log in self.logs for record in log.records]
        self.instances[0].offsets.forget()
        await self.instances[0].process(everything)

    def states(self) -> dict[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = {}
        for customer, document in self.memory.documents("states").items():
            for event in document["events"]:
                number = int(event[1:])
                found.setdefault((customer, number // 1000), []).append(number)
        return found

    def expected(self) -> dict[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = {}
        for partition, log in enumerate(self.logs):
            for number in log.numbers:
                customer = f"01890000-0000-7000-8000-{number % CUSTOMERS:012x}"
                found.setdefault((customer, partition), []).append(number)
        return found


@effort(max_examples=200, deadline=None)
@given(logs(), st.lists(takes, max_size=12))
def test_any_delivery_by_anyone_gives_the_same_state(logs: list[Log], story: list[Any]) -> None:
    async def told() -> Story:
        one = Story(logs)
        for instance, window, fault, forgets in story:
            await one.take(instance, window, fault, forgets)
        await one.finish()
        return one

    one = asyncio.run(told())
    assert one.states() == one.expected()
    assert one.memory.told() == []
