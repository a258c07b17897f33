"""Growth: what an event costs, what services weigh and how long they take to start, as the base of customers grows."""

from __future__ import annotations

import os
import statistics
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from tests.bench.growth.filling import ORIGINALS
from tests.bench.growth.measuring import Measured
from tests.bench.growth.platform import playing
from tests.bench.growth.rebuilding import Rebuilt
from tests.bench.growth.receiver import healthy
from tests.bench.growth.sizes import At, Growing, Plan, kinds, plain
from tests.bench.section import Row, Section, Stage

CACHE, CACHE_GB = "RAPPORT_MONGO_CACHE_GB", "10"
NOTES = f"""
Events ({", ".join(kinds())}) are sent all at once, one for each of some customers chosen by chance, so that no two of a
customer are folded into one write. Cold: nobody has asked for these customers since everything was started, so their
documents are in no cache. Warm: one more event for each of the same customers. Medians of the rounds.

Everything is counted: interactions, contacts, scoring, campaigns, sync with one webhook, Kafka, MongoDB, Redis.

The first customers are made by events. The others are copies of {ORIGINALS} of them, written straight into the
databases: byte for byte what the platform wrote, with other ids, and with counters and cursors moved along. After each
measurement every customer that was touched has exactly its one event more, all summaries count all customers, and the
events that filled customers would stem from are told again and known as duplicates; else the section fails.

MongoDB has {CACHE_GB} GB to keep documents in, into which those of a million customers fit.

Start: MongoDB, Kafka, Redis and all services, from nothing running until all are ready, on this base.

Rebuild: projections dropped and consumed again from the first record of the log, and found equal afterwards. What an
operator does for it is written in tests/bench/growth/rebuilding.py.
"""
State = Literal["warm", "cold"]
Figure = Callable[[At], float]
SETTINGS = {"RAPPORT_SCORING_REFIT_SECONDS": "86400", "RAPPORT_SCORING_STUDY_SECONDS": "86400"}
"""A refit, or a look through all wishes, in the middle of a round would be counted as the events' cost."""


@asynccontextmanager
async def with_memory() -> AsyncIterator[None]:
    """The documents of a million customers fit into MongoDB's memory, as an operator would see to it."""
    before = os.environ.get(CACHE)
    os.environ[CACHE] = CACHE_GB
    try:
        yield
    finally:
        os.environ.pop(CACHE)
        if before is not None:
            os.environ[CACHE] = before


async def run(stage: Stage) -> Section:
    plan = Plan(
        made=stage.pick(smoke=200, quick=2_000, normal=5_000, full=5_000),
        sizes=stage.pick(
            smoke=(500, 1_000), quick=(10_000,), normal=(10_000, 100_000), full=(10_000, 100_000, 1_000_000)
        ),
        events=stage.pick(smoke=100, quick=2_000, normal=3_000, full=3_000),
        warm_up=stage.pick(smoke=50, quick=1_000, normal=1_000, full=1_000),
        rounds=stage.pick(smoke=1, quick=1, normal=3, full=3),
    )
    async with healthy() as (address, _), with_memory(), playing(stage, SETTINGS) as platform:
        found, rebuilt = await Growing(platform, plan, address, stage.say).run()
        engines = platform.engines
    details = {"sizes": plain(found), "rebuilt": plain(rebuilt), "plan": plan.__dict__, "engines": engines}
    notes = [" ".join(note.split()) for note in NOTES.split("\n\n")] + [of_pages(at) for at in found]
    return Section(
        "growth", "Growth: the same events over more customers", rows(found, rebuilt), notes, details=details
    )


def rows(found: Sequence[At], rebuilt: Sequence[Rebuilt]) -> list[Row]:
    """One figure a row, one size a column, and how the largest compares with the smallest."""
    processes = list(found[0].warm[0]["cpu us"])
    table = [line(f"{name}, CPU us an event, warm", found, cpu_of("warm", name)) for name in processes]
    table += [line(f"{name}, CPU us an event, cold", found, cpu_of("cold", name)) for name in ("all", "mongo")]
    table += [
        line(f"pages MongoDB fetches an event, {state}", found, pages_of(state), digits=2) for state in ("warm", "cold")
    ]
    table.append(line("events/s, warm", found, rate_of))
    table.append(line("all, CPU ms/s when idle", found, lambda at: sum(at.idle.values())))
    table += [line(f"{name}, memory MB", found, memory_of(name)) for name in sorted(found[0].memory_mb)]
    table += [line(f"MongoDB's {what}, MB", found, held_of(what)) for what in found[0].held_mb]
    table.append(line("start of everything, s", found, lambda at: at.start_seconds["all"], digits=1))
    return [*table, *[row for one in rebuilt for row in of_rebuild(one)]]


def cpu_of(state: State, name: str) -> Figure:
    return lambda at: statistics.median(one["cpu us"].get(name, 0.0) for one in rounds_of(at, state))


def pages_of(state: State) -> Figure:
    return lambda at: statistics.median(one["pages"] for one in rounds_of(at, state))


def rate_of(at: At) -> float:
    return float(statistics.median(one["events"] / one["seconds"] for one in at.warm))


def rounds_of(at: At, state: State) -> Sequence[Measured]:
    return at.warm if state == "warm" else at.cold


def memory_of(name: str) -> Figure:
    return lambda at: at.memory_mb[name]


def held_of(what: str) -> Figure:
    return lambda at: at.held_mb[what]


def line(figure: str, found: Sequence[At], of: Figure, digits: int | None = None) -> Row:
    values = [of(at) for at in found]
    cells = {f"{at.customers:,}": round(value, digits) for at, value in zip(found, values, strict=True)}
    ratio = {"x": round(values[-1] / values[0], 2)} if len(found) > 1 and values[0] else {}
    return {"figure": figure, **cells, **ratio}


def of_pages(at: At) -> str:
    places = ", ".join(f"{name} {count}" for name, count in at.pages.items())
    return f"At {at.customers:,} customers most pages an event are fetched for: {places or 'nothing'}."


def of_rebuild(one: Rebuilt) -> list[Row]:
    what = f"rebuild of {one.service} from {one.records:,} records"
    return [
        {"figure": f"{what}, s", "made": round(one.seconds, 1)},
        {"figure": f"{what}, CPU s, with its start and MongoDB", "made": round(sum(one.cpu.values()), 1)},
    ]
