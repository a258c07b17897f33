"""Reads: one customer's view over HTTP, by id and by identifier, beside a bare `find_one` of the same process."""

from __future__ import annotations

from tests.bench.growth.people import Road
from tests.bench.growth.platform import Platform, playing
from tests.bench.growth.quiet import Watch, settle
from tests.bench.reads.asking import Target
from tests.bench.reads.rounds import Plan, Run, measure, rows
from tests.bench.section import Section, Stage

NOTES = """
Each reader asks again as soon as it has its answer, so the latency at many readers is mostly the queue they form.
Readers, services and MongoDB share this machine's cores; the readers ask over plain sockets, to cost as little as may be.
`find_one` fetches the same bytes from the same collection as sync does, from the process that also asks over HTTP.
Every answer is looked at: one that is not about the customer who was asked for fails the section.
Medians of the rounds; the rounds' own figures are in the JSON.
""".strip().splitlines()


async def run(stage: Stage) -> Section:
    customers = stage.pick(smoke=50, quick=1_000, normal=2_000, full=10_000)
    plan = Plan(
        at_once=stage.pick(smoke=(1, 8), quick=(1, 8, 32, 128), normal=(1, 8, 32, 128), full=(1, 8, 32, 128)),
        seconds=stage.pick(smoke=0.2, quick=0.5, normal=1.0, full=3.0),
        rounds=stage.pick(smoke=1, quick=1, normal=3, full=5),
    )
    async with playing(stage) as platform:
        targets = await fill(platform, customers)
        stage.say(f"{customers:,} customers are there; {plan.rounds} rounds follow")
        runs: list[Run] = []
        for number in range(plan.rounds):
            runs += await measure(platform, targets, plan, number)
        details = {"runs": runs, "customers": customers, "engines": platform.engines, "plan": plan.__dict__}
    return Section("reads", "Reads: one customer's view", rows(runs), NOTES, details=details)


async def fill(platform: Platform, customers: int) -> list[Target]:
    """Customers as events make them, and what to ask for."""
    async with Road(platform) as road, Watch(platform) as watch:
        await settle(platform, road, watch, range(customers))
    found = platform.database("sync")["views"].find({}, {"identifiers": 1})
    return [Target(one["_id"], one["identifiers"][0]) async for one in found]
