"""A floor for latency: how soon the barest line of hops that has this design delivers the latency section's load.

An event passes it as it passes the platform: inbound record, interactions, fact, scoring, score, sync, channels; each a
process of its own, which moves its positions, writes its states and leaves what it tells in one majority transaction a
batch. Nothing is decoded or decided, no index is kept but `_id`. What this line does not reach, no program of its design
in its language does on the same machine; what it has left over is what there is for all that a CRM has to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from shared.messaging.patient import GATHER_MS
from tests.bench.bareline.hop import Manner
from tests.bench.bareline.site import Line, line
from tests.bench.latency import TARGET_RATE, TARGETS, everybody, played
from tests.bench.section import Row, Section, Stage, sentences

__all__ = ["run"]

CORES = 2
DISTURBED = 0.1
"""A larger share of the cores than the kernel takes for itself."""
ALONG = ("interactions", "scoring", "sync")
"""The services by which an event's way leads."""
GATHERING = (Manner(), Manner(gather_ms=10), Manner(gather_ms=GATHER_MS, patient=True))
MANNERS = (*GATHERING, *(replace(manner, direct=True) for manner in GATHERING))
NOTES = """
Load, schedule, receivers, what is timed, and when a rate is sustained are the latency section's; its void rule too. So every
figure of a row may be held against that section's of the same rate.
"As they come": a batch is whatever has come while the last one was under way. "Gathered": the broker waits for so long for more;
"as the platform gathers": for 30 ms at least, and for twice as long as a batch takes (`shared/messaging/patient.py`).
Campaigns and contacts, for whom no channel waits, gather as they do there.
"By the change stream": records are published when the database tells of the outbox. "By itself": whoever has committed
publishes from memory, and the outbox is there for a crash alone.
Each service writes one document for each customer or event that its batch concerns, of about the length of ours; scoring and
campaigns read theirs before. Sync knows its views by heart and hands them to the channels and to crm.customers from
memory; each channel's batch of deliveries leaves a receipt a customer and a position, in a transaction of its own.
Not in it: decoding, validating, deciding, indexes, looking for duplicates, erasures and merges, metrics, leases, consumer groups,
what contacts tells, more than one record or document where the platform makes several.
It is Python with aiokafka, PyMongo and uvloop, as the platform is: what these cost is part of the floor.
"Deciding": every service spends so much CPU on each of its records before its transaction, which is done in one row after the
other until the target is missed.
"""


@dataclass(frozen=True)
class Size:
    """What is played."""

    customers: int
    manners: Sequence[Manner]
    rates: Sequence[float]
    seconds: float
    rate_to_meet: float
    deciding: Sequence[float]
    """CPU microseconds a record and service, rising."""


@dataclass(frozen=True)
class Played:
    """What is kept of a trial; its arrivals are written over by the next line's."""

    manner: Manner
    rate: float
    void: str
    unsustained: str
    busy: float
    latencies: dict[str, tuple[dict[str, float], int, int]]
    cpu: dict[str, float]
    """Microseconds an event, by process."""
    parts: dict[str, float]
    batches: dict[str, float]
    """Of each service, records a batch."""
    generator: dict[str, Any]

    @property
    def webhook(self) -> dict[str, float]:
        return self.latencies["webhook"][0]

    @property
    def cost(self) -> float:
        """CPU microseconds an event, all processes together."""
        return sum(self.cpu.values())

    @property
    def others(self) -> float:
        """The share of the cores that nobody here has had."""
        return max(0.0, self.busy - self.cost * self.rate / 1e6 / CORES)

    @property
    def meets(self) -> bool:
        return not self.unsustained and all(self.webhook[name] < most for name, most in TARGETS.items())


def size_of(stage: Stage) -> Size:
    few = (MANNERS[0], replace(MANNERS[-1], deciding_us=10.0))
    rates = (100.0, 300.0, 1_000.0, 3_000.0)
    deciding = (20.0, 40.0, 60.0, 80.0, 120.0, 160.0)
    return stage.pick(
        smoke=Size(50, few, (50.0,), 2, 50.0, ()),
        quick=Size(3_000, MANNERS[1:5], (300.0, 1_000.0), 10, TARGET_RATE, (40.0, 80.0)),
        normal=Size(10_000, MANNERS, rates, 30, TARGET_RATE, deciding),
        full=Size(10_000, MANNERS, rates, 60, TARGET_RATE, deciding),
    )


async def run(stage: Stage) -> Section:
    size = size_of(stage)
    bare: list[Played] = []
    for manner in size.manners:
        bare += await along(stage, size, manner, size.rates)
    best = soonest(bare, size.rate_to_meet)
    rising = [best]
    for spent in size.deciding:
        if rising[-1].meets:
            rising += await along(stage, size, replace(best.manner, deciding_us=spent), [size.rate_to_meet])
    found = [*bare, *rising[1:]]
    voids = [f"{named(one)} at {one.rate:,.0f}/s: {one.void}" for one in found if one.void]
    notes = [*sentences(NOTES), *verdict(rising), *disturbed(found)]
    title = "A floor for latency: a bare line of hops"
    return Section(
        "bareline",
        title,
        [row(one) for one in found],
        notes,
        "; ".join(voids),
        {"trials": [asdict(one) for one in found]},
    )


async def along(stage: Stage, size: Size, manner: Manner, rates: Sequence[float]) -> list[Played]:
    """Fresh servers for each line, warm and with every customer known before it counts."""
    found = []
    async with line(stage, manner) as place:
        await place.play(everybody(size.customers))
        for number, rate in enumerate(rates):
            one = await trial(place, manner, rate, size, number)
            found.append(one)
            state = one.void or one.unsustained or "sustained"
            times = ", ".join(f"{name} {one.webhook.get(name, 0):.0f} ms" for name in TARGETS)
            stage.say(f"{named(one)} at {rate:,.0f}/s: {state}; webhook {times}; {one.cost:,.0f} us of CPU an event")
    return found


async def trial(place: Line, manner: Manner, rate: float, size: Size, number: int) -> Played:
    before = place.site.batches()
    outcome = await played(place, "kafka", rate, size.seconds, size.customers, number)
    after = place.site.batches()
    counts = {name: (after[name][0] - before[name][0], after[name][1] - before[name][1]) for name in after}
    return Played(
        manner=manner,
        rate=rate,
        void=outcome.void,
        unsustained=outcome.unsustained,
        busy=outcome.busy,
        latencies=outcome.latencies(),
        cpu=outcome.cpu_per_event(),
        parts=outcome.cpu_by_part(),
        batches={name: records / max(1, batches) for name, (batches, records) in counts.items()},
        generator=outcome.generator,
    )


def soonest(found: Sequence[Played], rate: float) -> Played:
    """By the median to the webhook, of those that keep up if any does."""
    at_rate = [one for one in found if one.rate == rate]
    return min(at_rate, key=lambda one: (bool(one.unsustained), one.webhook["p50"]))


def named(one: Played) -> str:
    if one.manner.patient:
        batches = "as the platform gathers"
    else:
        batches = f"gathered for {one.manner.gather_ms} ms" if one.manner.gather_ms else "as they come"
    return f"{batches}, {'by itself' if one.manner.direct else 'by the change stream'}"


def row(one: Played) -> Row:
    def times(effect: str, *wanted: str) -> dict[str, float]:
        figures = one.latencies[effect][0]
        return {f"{effect} {name} ms": round(figures.get(name, 0.0), 1) for name in wanted}

    return {
        "batches, and who publishes": named(one),
        "deciding, us a record": round(one.manner.deciding_us),
        "events/s": round(one.rate),
        **times("stored", "p50"),
        **times("score visible", "p50"),
        **times("webhook", "p50", "p95", "p99"),
        **times("sse", "p99"),
        "unseen": sum(missing for _, _, missing in one.latencies.values()),
        "rate sustained": "no" if one.unsustained else "yes",
        "cores busy": f"{one.busy:.0%}",
        "CPU us an event": round(one.cost),
        **{f"of it {part}": round(cost) for part, cost in one.parts.items()},
        **{f"records a batch, {name}": round(one.batches[name], 1) for name in ALONG},
    }


def verdict(rising: Sequence[Played]) -> list[str]:
    """What the figures say of the target. `rising`: the soonest bare line, and the same with more and more deciding."""
    best = rising[0]
    wanted = " and ".join(f"{most} ms ({name})" for name, most in TARGETS.items())
    reached = " and ".join(f"{best.webhook[name]:,.0f} ms ({name})" for name in TARGETS)
    there_is = CORES * 1e6 / best.rate
    first = (
        f"At {best.rate:,.0f}/s the soonest bare line ({named(best)}) reaches the webhook after {reached}, where {wanted} are wanted, "
        f"and takes {best.cost:,.0f} of the {there_is:,.0f} us of CPU that {CORES} cores have for each event."
    )
    if not best.meets:
        return [
            first,
            "So no program of this design in Python meets the target on this machine, however little it decides.",
        ]
    kept = max((one for one in rising if one.meets), key=lambda one: one.manner.deciding_us)
    missed = [one for one in rising if not one.meets]
    more = f"It still does with {kept.cost - best.cost:,.0f} us of CPU more an event ({kept.manner.deciding_us:.0f} a record and service)"
    end = f", and no more with {missed[0].cost - best.cost:,.0f}" if missed else ", the most that was tried"
    return [
        first,
        f"So the design allows the target. {more}{end}: that much is left for all that a service does beside its hop.",
    ]


def disturbed(found: Sequence[Played]) -> list[str]:
    """On a machine that is not the line's alone, a floor cannot be told from what others have taken."""
    most = max(one.others for one in found)
    return (
        [f"Others had up to {most:.0%} of the cores meanwhile: these latencies are no floor."]
        if most > DISTURBED
        else []
    )
