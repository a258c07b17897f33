"""How long after its intended sending an event is stored, scored and delivered, at several rates: `python -m tests.bench.latency`."""

from __future__ import annotations

from typing import Any

from tests.bench.section import Row, Section, Stage, alone, sentences
from tests.bench.trial.arena import Trials, arena
from tests.bench.trial.load import Load
from tests.bench.trial.outcome import Outcome
from tests.load.mix import Road

Step = tuple[Road, float, float]
"""Road, events a second, seconds."""
TARGETS = {"p50": 100, "p99": 500}
TARGET_RATE = 1000
NOTES = """
Open loop: each event's time runs from the moment it was to be sent by a fixed schedule, whether or not the generator or
the platform was ready for it then, so there is no coordinated omission.
Every sale and interaction counts, none is sampled; "unseen" is the number whose effect never came.
"Stored" and "score visible" are the moments at which the order, interaction or score could be read in its topic by
somebody else, which is after its transaction was committed to a majority and the outbox was relayed: upper bounds of both.
A customer's n-th sale is scored when a score counts n purchases, and delivered when the channel's state counts n orders.
Customers are known before; customers, generator, receivers and the observer run on the platform's own two cores.
What an event costs (the end to end section) is what limits latency here: the busier the cores, the longer every one of the
dozen processes that an event passes waits for its turn, and the larger the batches that keep up. "Cores busy" says how much.
"""


def steps(stage: Stage) -> tuple[int, list[Step]]:
    """How many customers, and what is played."""
    smoke: tuple[int, list[Step]] = (50, [("kafka", 50, 2)])
    quick: tuple[int, list[Step]] = (5_000, [("kafka", 100, 15), ("kafka", 1000, 15), ("kafka", 3000, 10)])
    roads: list[tuple[Road, float]] = [("kafka", 100), ("kafka", 300), ("kafka", 1000), ("http", 300), ("http", 1000)]
    normal: list[Step] = [*((road, rate, 60.0) for road, rate in roads), ("kafka", 3000, 30)]
    full: list[Step] = [*((road, rate, 120.0) for road, rate in roads), ("kafka", 3000, 60)]
    return stage.pick(smoke=smoke, quick=quick, normal=(10_000, normal), full=(10_000, full))


async def run(stage: Stage) -> Section:
    customers, wanted = steps(stage)
    rows: list[Row] = []
    details: list[dict[str, Any]] = []
    voids: list[str] = []
    async with arena(stage) as place:
        versions = place.ground.versions()
        await place.play(everybody(customers))
        for number, (road, rate, seconds) in enumerate(wanted):
            outcome = await played(place, road, rate, seconds, customers, number)
            found = table(outcome)
            rows += found
            details.append({"road": road, "rate": rate, "unsustained": outcome.unsustained, "busy": outcome.busy})
            voids += [f"{road} {rate:,.0f}/s: {outcome.void}"] if outcome.void else []
            stage.say(f"{road} {rate:,.0f}/s: {outcome.void or outcome.unsustained or 'sustained'}; {short(found)}")
    title = "Latency from the intended sending"
    notes = [*sentences(NOTES), *beyond(details)]
    return Section("latency", title, rows, notes, "; ".join(voids), {"steps": details, "servers": versions})


def everybody(customers: int) -> Load:
    """Makes all customers known, each through his channel."""
    mix = {"customers": customers, "one_channel_each": True, "everybody_first": True}
    return Load(500.0, customers, "kafka", 1, mix)


async def played(place: Trials, road: Road, rate: float, seconds: float, customers: int, number: int) -> Outcome:
    """A few seconds at the same rate first, so that what is measured is the steady state."""
    mix = {"customers": customers, "one_channel_each": True}
    await place.play(Load(rate, int(rate * min(5.0, seconds / 2)), road, 100 + number, mix))
    return await place.play(Load(rate, int(rate * seconds), road, 200 + number, mix), watch=True)


def table(outcome: Outcome) -> list[Row]:
    rows: list[Row] = []
    for effect, (times, count, unseen) in outcome.latencies().items():
        figures = {f"{name} ms": round(value, 1) for name, value in times.items()}
        begin = {"road in": outcome.load.road, "events/s": round(outcome.load.rate), "event until": effect}
        held = "no" if outcome.unsustained else "yes"
        circumstances = {"rate sustained": held, "cores busy": f"{outcome.busy:.0%}"}
        rows.append({**begin, **figures, "counted": count, "unseen": unseen, **circumstances})
    return rows


def short(rows: list[Row]) -> str:
    return ", ".join(f"{row['event until']} p50 {row.get('p50 ms')} p99 {row.get('p99 ms')}" for row in rows)


def beyond(details: list[dict[str, Any]]) -> list[str]:
    """Latency at a rate that is not sustained says how long the queue was, not how fast the platform is."""
    found = [
        f"{step['rate']:,.0f}/s over {step['road']} ({step['unsustained']})" for step in details if step["unsustained"]
    ]
    return (
        [f"Not sustained on this machine: {'; '.join(found)}; the figures there are those of a growing queue."]
        if found
        else []
    )


if __name__ == "__main__":
    alone("latency", run)
