"""The highest rate that the whole platform sustains: inbound -> stored -> scored -> view -> two channels delivered.

Over Kafka and over HTTP. Rates go up until the lag grows, then the border is narrowed down, then the winner is held for
minutes. Run by itself: `python -m tests.bench.endtoend`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.bench.section import Row, Section, Stage, alone, sentences
from tests.bench.trial.arena import Arena, arena
from tests.bench.trial.load import Load
from tests.bench.trial.outcome import Outcome
from tests.load.mix import Road

FACTOR = 1.5
ROADS: tuple[Road, ...] = ("kafka", "http")
TARGET = 5_000
NOTES = """
A rate is sustained if the events that were due and not yet in the slower of the two channels become no more (by less than
2 % of the rate, or than two seconds' worth over the whole trial; Theil-Sen slope), and all are delivered within 2 s (5 % of
a longer run) after the last was due.
70 % sales, 28 % interactions, 2 % contact reports of about 400 bytes, spread evenly over customers who are all known; a
channel that learns of several events of a customer by one delivery has learnt of all of them.
Generator and receivers share the cores with the platform (at a higher priority, as a load from outside would not compete)
and are in the CPU figures. Services are called directly, without the local gateway.
After each run orders and money are held against the plan to the cent; a difference ends the bench.
"""


@dataclass(frozen=True)
class Search:
    """How far to look and how long."""

    first: float
    most: float
    seconds: float
    step: float
    """The border is narrowed down until the next rate would be less than this times the best one."""
    held: float
    """Seconds for the winner."""
    customers: int


def search_for(stage: Stage) -> Search:
    return stage.pick(
        smoke=Search(50, 50, 3, 2.0, 3, 50),
        quick=Search(500, 12_000, 15, 1.25, 30, 5_000),
        normal=Search(1_000, 12_000, 20, 1.15, 60, 10_000),
        full=Search(1_000, 12_000, 30, 1.1, 300, 10_000),
    )


async def run(stage: Stage) -> Section:
    search, notes = search_for(stage), sentences(NOTES)
    rows: list[Row] = []
    trials: list[dict[str, Any]] = []
    void, versions = "", {}
    for road in ROADS:
        async with arena(stage) as place:
            versions = place.ground.versions()
            await place.play(warming_up(search, road))
            held = await highest(place, search, road, trials, stage)
        # The other road differs on the way in only: its border is not far from this one.
        search = replace(search, first=max(search.first, rounded(held.load.rate / FACTOR)))
        rows.append(row(held))
        notes.append(where_it_goes(held))
        void = void or held.void or (held.unsustained and f"{road}: {held.unsustained}")
    details = {"search": asdict(search), "trials": trials, "servers": versions, "target": TARGET}
    title = "End to end: in, stored, scored, in the view, delivered to two channels"
    return Section("endtoend", title, rows, notes, void, details)


def warming_up(search: Search, road: Road) -> Load:
    """Every customer is known after it, and no service is cold."""
    rate = min(500.0, search.first * 4)
    count = search.customers + int(5 * rate)
    return Load(rate, count, road, seed=1, mix=mix(search) | {"everybody_first": True})


def mix(search: Search) -> dict[str, Any]:
    return {"customers": search.customers, "one_channel_each": True}


async def highest(place: Arena, search: Search, road: Road, trials: list[dict[str, Any]], stage: Stage) -> Outcome:
    """Finds the border, then holds the best rate for longer; the next lower one if that cannot be held."""

    async def play(rate: float, seconds: float) -> Outcome:
        outcome = await trial(place, search, road, rate, seconds)
        trials.append(told(outcome))
        stage.say(f"{road} {rate:,.0f}/s for {seconds:.0f} s: {verdict(outcome)}")
        return outcome

    async def fits(rate: float) -> bool:
        outcome = await play(rate, search.seconds)
        if outcome.void:
            outcome = await play(rate, search.seconds)
        return not outcome.void and not outcome.unsustained

    best = await border(search, fits)
    while True:
        held = await play(best, search.held)
        if not (held.void or held.unsustained) or best <= search.first / 2:
            return held
        best = rounded(best / search.step)


async def border(search: Search, fits: Callable[[float], Awaitable[bool]]) -> float:
    """The highest rate that fits, to within a step."""
    best, rate, worst = 0.0, search.first, 0.0
    while not worst and best < search.most:
        if await fits(rate):
            best, rate = rate, min(rounded(rate * FACTOR), search.most)
        else:
            worst = rate
    while worst and worst > search.step * max(best, search.first / 4):
        rate = rounded((best + worst) / 2)
        if not best < rate < worst:
            break
        if await fits(rate):
            best = rate
        else:
            worst = rate
    return best or search.first / 4


def rounded(rate: float) -> float:
    return float(round(rate / 50) * 50) if rate >= 100 else rate


async def trial(place: Arena, search: Search, road: Road, rate: float, seconds: float) -> Outcome:
    seed = int(rate) * 10 + len(place.before)
    return await place.play(Load(rate, int(rate * seconds), road, seed, mix(search)))


def verdict(outcome: Outcome) -> str:
    cost = sum(outcome.cpu_per_event().values())
    state = f"void ({outcome.void})" if outcome.void else outcome.unsustained or "sustained"
    return (
        f"{state}; {cost:,.0f} us of CPU an event, cores {outcome.busy:.0%} busy, drained {outcome.drained:.2f} s after"
    )


def told(outcome: Outcome) -> dict[str, Any]:
    return {
        "road": outcome.load.road,
        "rate": outcome.load.rate,
        "seconds": outcome.load.seconds,
        "void": outcome.void,
        "unsustained": outcome.unsustained,
        "lag_growth": round(outcome.growth, 2),
        "drained_seconds": round(outcome.drained, 3),
        "busy": round(outcome.busy, 3),
        "cpu_us_per_event": {name: round(cost, 1) for name, cost in outcome.cpu_per_event().items()},
        "memory_mb": outcome.memory_mb,
        "generator": outcome.generator,
    }


def row(outcome: Outcome) -> dict[str, Any]:
    latency = {name: figures for name, (figures, _, _) in outcome.latencies().items()}
    return {
        "road in": outcome.load.road,
        "events/s": round(outcome.load.rate),
        "held for s": round(outcome.load.seconds),
        "lag grew by, events/s": round(outcome.growth, 1),
        "drained after s": round(outcome.drained, 2),
        "webhook p50 ms": round(latency["webhook"].get("p50", 0)),
        "webhook p99 ms": round(latency["webhook"].get("p99", 0)),
        "stream p50 ms": round(latency["sse"].get("p50", 0)),
        "stream p99 ms": round(latency["sse"].get("p99", 0)),
        **{f"CPU s per million events, {part}": round(cost) for part, cost in outcome.cpu_by_part().items()},
        "together": round(sum(outcome.cpu.values()) / outcome.load.count * 1e6),
        "cores busy": f"{outcome.busy:.0%}",
        "of the target": f"{outcome.load.rate / TARGET:.0%}",
    }


def where_it_goes(outcome: Outcome) -> str:
    costs = ", ".join(f"{name} {cost:,.0f}" for name, cost in outcome.cpu_per_event().items() if cost >= 0.5)
    return f"Over {outcome.load.road} at {outcome.load.rate:,.0f}/s, CPU s per million events by process: {costs}."


if __name__ == "__main__":
    alone("endtoend", run)
