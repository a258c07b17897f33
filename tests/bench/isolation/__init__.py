"""Isolation: does a channel that is dead or slow delay the others? The p99 of a healthy one, beside none, one and five."""

from __future__ import annotations

import random
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.growth.figures import percentile
from tests.bench.growth.people import Road
from tests.bench.growth.platform import playing
from tests.bench.growth.quiet import Watch, settle
from tests.bench.growth.receiver import healthy
from tests.bench.isolation.phases import HEALTHY, Phase, Stream
from tests.bench.isolation.receivers import ILL
from tests.bench.section import Row, Section, Stage

NOBODY, AGAIN = "nobody", "nobody, again"
BESIDE = {"1: hanging": ["hanging"], "5: one of each": list(ILL)}
EACH = {f"1: {kind}": [kind] for kind in ILL} | {"5: one of each": list(ILL), "60: hanging": ["hanging"] * 60}
CUSTOMERS = 1_000
NOTES = """
Latency runs from the moment at which the event was to be sent to its arrival at the healthy receiver.
The ill ones: connection refused; 429 with Retry-After 5; 503; an answer after 30 s; an answer of one byte a second.
They are registered as a phase begins, with a backlog of all customers, so the beginning of an illness is measured too.
`p99 x nobody` is against the mean of both phases without ill ones of the same round, median of the rounds.
The row of `nobody, again` shows by how much two phases without any difference differ: the noise of the machine.
""".strip().splitlines()


async def run(stage: Stage) -> Section:
    arms = stage.pick(smoke={"5: one of each": list(ILL)}, quick=BESIDE, normal=BESIDE, full=EACH)
    seconds = stage.pick(smoke=2.0, quick=8.0, normal=8.0, full=15.0)
    rounds = stage.pick(smoke=1, quick=1, normal=6, full=5)
    rate = 100.0
    async with (
        healthy() as (address, arrivals),
        playing(stage) as platform,
        Road(platform) as road,
        Watch(platform) as watch,
    ):
        await settle(platform, road, watch, range(CUSTOMERS))
        await platform.register(HEALTHY, address)
        await watch.quiet(within=60)
        stream = Stream(platform, road, arrivals, CUSTOMERS, rate)
        await stream.flow(min(seconds, 5.0))  # not counted: caches fill, connections are made
        phases: list[list[Phase]] = []
        for number in range(rounds):
            phases.append(await one_round(stream, arms, seconds, number))
            stage.say(f"round {number + 1} of {rounds} is done")
        engines = platform.engines
    details: dict[str, Any] = {
        "rounds": [[of_phase(phase) for phase in round_] for round_ in phases],
        "events/s": rate,
        "seconds": seconds,
        "customers": CUSTOMERS,
        "engines": engines,
    }
    void = "; ".join(sorted({phase.void for round_ in phases for phase in round_ if phase.void}))
    return Section(
        "isolation",
        f"Isolation: a healthy webhook at {rate:.0f} events/s beside ill ones",
        [] if void else rows(phases),
        NOTES,
        void,
        details,
    )


async def one_round(stream: Stream, arms: Mapping[str, Sequence[str]], seconds: float, number: int) -> list[Phase]:
    """Nobody ill, then each arm in an order of chance, then nobody again."""
    order = random.Random(number).sample(list(arms), len(arms))
    return [
        await stream.phase(NOBODY, (), seconds),
        *[await stream.phase(name, arms[name], seconds) for name in order],
        await stream.phase(AGAIN, (), seconds),
    ]


def of_phase(phase: Phase) -> dict[str, Any]:
    sample = phase.latencies
    figures = {name: percentile(sample, share) * 1000 for name, share in SHARES.items()} if sample else {}
    events = max(1, len(sample))
    cpu = {name: seconds / events * 1e6 for name, seconds in phase.spent.items()}
    return {"beside": phase.beside, "void": phase.void, "ms": figures, "cpu us": cpu, "ill": phase.ill}


SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "worst": 1.0}


def rows(rounds: Sequence[Sequence[Phase]]) -> list[Row]:
    """Medians over the rounds, nobody first."""
    names = [NOBODY, AGAIN, *sorted({phase.beside for phase in rounds[0]} - {NOBODY, AGAIN})]
    found = [{phase.beside: of_phase(phase) for phase in round_} for round_ in rounds]
    return [row(name, found) for name in names]


def row(name: str, rounds: Sequence[Mapping[str, Any]]) -> Row:
    ratios = [
        one[name]["ms"]["p99"] / statistics.mean(one[none]["ms"]["p99"] for none in (NOBODY, AGAIN)) for one in rounds
    ]
    figures = {
        f"{figure} ms": round(statistics.median(one[name]["ms"][figure] for one in rounds), 1) for figure in SHARES
    }
    cpu = {
        "sync, CPU us an event": round(statistics.median(one[name]["cpu us"].get("sync", 0.0) for one in rounds)),
        "all, CPU us an event": round(statistics.median(sum(one[name]["cpu us"].values()) for one in rounds)),
    }
    return {"ill beside it": name, **figures, "p99 x nobody": round(statistics.median(ratios), 2), **cpu}
