"""The floor under the whole platform: what its writes, its records and its hops cost when nobody does anything else.

A load is played on the platform, and what came of it is kept: every write in MongoDB's oplog, every record in Kafka, and
who read it. Then the same writes and records are made again on bare servers, in large batches, by loops that decode and
decide nothing: no design that keeps the same facts in the same places can cost less. Large batches come late, though, and
what each batch costs by itself bounds how small they can be, and so how soon: that is the floor of a hop.
`python -m tests.bench.floor`.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.bench.endtoend import TARGET
from tests.bench.floor.again import carrying, writing
from tests.bench.floor.bare import Cost, bare
from tests.bench.floor.hops import hop
from tests.bench.floor.traces import Traces, traces_of
from tests.bench.section import Row, Section, Stage, sentences
from tests.bench.trial.arena import arena

__all__ = ["run"]

CORES = 2
FEW, MANY = 1, 50
"""Records in a batch of a hop: two sizes, for what a batch costs and what a record costs."""
NOTES = """
The load is the end to end section's; its writes and records are taken from the oplog and from the topics.
Writes are made again in transactions of 500, without any index but `_id`, on documents that hold nothing else; records are
produced in batches of 500 and read, undecoded, by as many readers as the topic has groups.
Not in it: decoding, validating, deciding, change streams, reading what is there, webhooks, the generator.
A hop: records are produced and read, a transaction moves a position, reads and writes their states and leaves messages, and
the database tells of these, which go to the next topic; one after the other, nothing decoded.
"""


async def run(stage: Stage) -> Section:
    customers = stage.pick(smoke=50, quick=2_000, normal=10_000, full=10_000)
    rate, seconds = stage.pick(smoke=(50, 3), quick=(500, 10), normal=(1_000, 20), full=(1_000, 60))
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    batches = stage.pick(smoke=5, quick=100, normal=300, full=300)
    async with arena(stage) as place:
        traces = await traces_of(place, customers, rate, seconds)
    stage.say(f"{traces.written:,} writes and {traces.produced:,} records of {traces.events:,} events")
    async with bare(stage) as (found, layout):
        writes = [await writing(found.mongo.url, layout, traces, turn) for turn in range(rounds)]
        records = [await carrying(found.kafka.url, layout, traces, turn) for turn in range(rounds)]
        few, many = [], []
        for turn in range(rounds):
            few.append(await hop(found.mongo.url, found.kafka.url, layout, FEW, batches, turn))
            many.append(await hop(found.mongo.url, found.kafka.url, layout, MANY, batches, turn))
    rows = [*rows_of(traces, median(writes), median(records)), *hops_of(median(few), median(many))]
    costs = {"writes": writes, "records": records, "hops of 1": few, "hops of 50": many}
    details = {name: [vars(cost) for cost in some] for name, some in costs.items()}
    return Section(
        "floor", "The floor: the same writes and records, and nothing else", rows, sentences(NOTES), "", details
    )


def rows_of(traces: Traces, writes: Cost, records: Cost) -> list[Row]:
    per = traces.events
    budget = CORES * 1e6 / TARGET
    floor = writes.server + writes.client + records.server + records.client
    both: list[Row] = [
        {
            "what": "MongoDB: writes",
            "an event": round(traces.written / per, 2),
            "bytes an event": round(traces.write_bytes / per),
            "server, CPU us an event": round(writes.server, 1),
            "client, CPU us an event": round(writes.client, 1),
        },
        {
            "what": f"Kafka: records, read {traces.read / max(1, traces.produced):.1f} times",
            "an event": round(traces.produced / per, 2),
            "bytes an event": round(traces.record_bytes / per),
            "server, CPU us an event": round(records.server, 1),
            "client, CPU us an event": round(records.client, 1),
        },
    ]
    together: Row = {
        "what": "together",
        "CPU us an event": round(floor, 1),
        "of two cores at 5,000/s": f"{floor / budget:.0%}",
    }
    return [*both, together]


def hops_of(few: Cost, many: Cost) -> list[Row]:
    """What a batch costs beside its records, and what each record adds: a line through two sizes."""
    server = (many.server - few.server) / (MANY - FEW)
    client = (many.client - few.client) / (MANY - FEW)
    fixed = Cost(few.server - FEW * server, few.client - FEW * client)
    batch: Row = {
        "what": "a hop: a batch, beside its records",
        "server, CPU us a batch": round(fixed.server),
        "client, CPU us a batch": round(fixed.client),
        "of two cores at 100 batches/s": f"{100 * (fixed.server + fixed.client) / (CORES * 1e6):.0%}",
    }
    record: Row = {
        "what": "a hop: each record",
        "server, CPU us an event": round(server, 1),
        "client, CPU us an event": round(client, 1),
    }
    return [batch, record]


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(c.server for c in costs), statistics.median(c.client for c in costs))
