"""A floor for latency: how soon the barest line of hops that has this design delivers the latency section's load.

An event passes it as it passes the platform: inbound record, interactions, fact, scoring, score, sync, channels; each a
process of its own, which moves its positions, writes its states and leaves what it tells in one majority transaction a
batch. Nothing is decoded or decided, no index is kept but `_id`. What this line does not reach, no program of its design
in its language does on the same machine; what it has left over is what there is for all that a CRM has to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from shared.messaging.patient import GATHER_MS
from tests.bench.bareline.figures import Played, disturbed, named, row, soonest, verdict
from tests.bench.bareline.hop import Manner
from tests.bench.bareline.site import Line, line
from tests.bench.latency import TARGET_RATE, TARGETS, everybody, played
from tests.bench.section import Section, Stage, sentences

__all__ = ["run"]

SHORT, LONG = Manner(gather_ms=10), Manner(gather_ms=GATHER_MS)
PATIENT = replace(LONG, patient=True)
GATHERING = (SHORT, LONG, PATIENT)
MANNERS = (Manner(), *GATHERING, replace(SHORT, direct=True), replace(PATIENT, direct=True))
NOTES = """
Load, schedule, receivers, what is timed, and when a rate is sustained are the latency section's; its void rule too. So every
figure of a row may be held against that section's of the same rate.
"As they come": a batch is whatever has come while the last one was under way. "Gathered": the broker waits for so long for more;
"as the platform gathers": for 30 ms at least, and for twice as long as a batch takes up to 200 ms (`shared/messaging/patient.py`).
Campaigns and contacts, for whom no channel waits, gather as they do there.
"By the change stream": records are published when the database tells of the outbox. "By itself": whoever has committed
publishes from memory, and the outbox is there for a crash alone.
Each service writes one document for each customer or event that its batch concerns, of about the length of ours; scoring and
campaigns read theirs before. Sync knows its views by heart and hands them to the channels and to crm.customers from
memory; each channel's batch of deliveries leaves a receipt a customer and a position, in a transaction of its own.
Not in it: decoding, validating, deciding, indexes, looking for duplicates, erasures and merges, metrics, leases, consumer groups,
what contacts tells, more than one record or document where the platform makes several.
It is Python with aiokafka, PyMongo and uvloop, as the platform is: what these cost is part of the floor.
"Deciding": the services spend so much CPU on an event's records before their transactions, the same on each record, as if they
decoded and decided; more and more of it from row to row, until the target is missed.
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
    bearing: Sequence[Manner] = GATHERING
    """The lines that are to bear it."""


def size_of(stage: Stage) -> Size:
    few = (Manner(), replace(PATIENT, direct=True, deciding_us=10.0))
    rates = (100.0, 300.0, 1_000.0, 3_000.0)
    deciding = (40.0, 80.0, 120.0, 160.0)
    return stage.pick(
        smoke=Size(50, few, (50.0,), 2, 50.0, ()),
        quick=Size(3_000, (SHORT, PATIENT), (300.0, 1_000.0), 10, TARGET_RATE, (40.0, 80.0), (PATIENT,)),
        normal=Size(10_000, MANNERS, rates, 20, TARGET_RATE, deciding),
        full=Size(10_000, MANNERS, rates, 60, TARGET_RATE, deciding),
    )


async def run(stage: Stage) -> Section:
    size = size_of(stage)
    bare: list[Played] = []
    for manner in size.manners:
        bare += await along(stage, size, manner, size.rates)
    at_target = {one.manner: one for one in bare if one.rate == size.rate_to_meet}
    series = [
        await rising(stage, size, one) for manner, one in at_target.items() if manner in size.bearing and size.deciding
    ]
    bearing = [one for some in series for one in some]
    found = [*bare, *bearing]
    voids = [f"{named(one)} at {one.rate:,.0f}/s: {one.void}" for one in found if one.void]
    judged = disturbed([*at_target.values(), *bearing]) or verdict(soonest(at_target.values()), series)
    title = "A floor for latency: a bare line of hops"
    return Section(
        "bareline",
        title,
        [row(one) for one in found],
        [*sentences(NOTES), *judged],
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


async def rising(stage: Stage, size: Size, bare: Played) -> list[Played]:
    """The same line with more and more deciding, until the target is missed."""
    found: list[Played] = []
    for spent in size.deciding:
        if (found or [bare])[-1].meets:
            found += await along(stage, size, replace(bare.manner, deciding_us=spent), [bare.rate])
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
        # Interactions takes in every event once.
        reads=sum(records for _, records in counts.values()) / counts["interactions"][1],
        generator=outcome.generator,
    )
