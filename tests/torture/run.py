"""One run: a stage, a load, faults, a world that comes to rest, a verdict."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from deploy.local import services
from tests.load import Roads
from tests.torture.channels import ReceiversDied, channels
from tests.torture.decisions import Steward, families
from tests.torture.evidence import Databases, Log, Public
from tests.torture.evidence.log import NotRead
from tests.torture.evidence.public import Refused
from tests.torture.faults import Plan, Stage
from tests.torture.judge import health
from tests.torture.ledger import Ledger
from tests.torture.planted import BUGS
from tests.torture.planted.bug import REACHED
from tests.torture.result import Outcome
from tests.torture.settling import Sources, settled
from tests.torture.spec import BATCH, Spec
from tests.torture.strikes import Strikes
from tests.torture.trace import path
from tests.torture.traffic import Traffic
from tests.torture.verdict import Verdict, verdict

Say = Callable[[str], None]
RECEIVERS = 95
"""The receivers' port, from the base."""
ABSENT = 0.05
"""Share of the time for which the receivers may have been busy with something else."""
DISK_MB, DISK_MB_PER_EVENT = 4_096, 0.01


async def run(spec: Spec, folder: Path, base: int, say: Say) -> Outcome:
    """Never raises for what the platform does; what the harness cannot do makes the run void."""
    outcome = Outcome(spec, Ledger(spec))
    receivers = folder / "channels"
    await asyncio.to_thread(receivers.mkdir, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(Stage.open(plan(spec, folder, base), say))
        public = await stack.enter_async_context(Public(stage.base_url, stage.admin_key))
        told = await stack.enter_async_context(channels(stage, public, receivers, base + RECEIVERS, spec.seed))
        databases = Databases(stage.mongo)
        stack.push_async_callback(databases.close)
        sources = Sources(databases, Log(stage.kafka), public, told)
        try:
            await _play(outcome, stage, sources, say)
        except (NotRead, Refused, ReceiversDied) as error:
            outcome.void.append(f"the evidence could not be had: {type(error).__name__}: {error}")
    return outcome


def plan(spec: Spec, folder: Path, base: int) -> Plan:
    reached = {REACHED: str(folder)} if spec.planted else {}
    wants_disk = os.geteuid() == 0 and any("disk" in kind for kind in spec.kinds or ("disk",))
    return Plan(
        state=(folder / "stage").resolve(),
        base=base,
        instances=spec.instances,
        partitions=spec.partitions,
        settings={**spec.settings, **reached, "RAPPORT_ERASURE_SETTLE_SECONDS": str(spec.settle)},
        command=with_bug(spec.planted) if spec.planted else services.uvicorn,
        disk_mb=DISK_MB + int(spec.events * DISK_MB_PER_EVENT) if wants_disk else None,
        seed=spec.seed,
    )


def with_bug(bug: str) -> Callable[[str, int], tuple[str, ...]]:
    """The command of a service: its real main, with the bug in it where it is to have one."""

    def command(service: str, port: int) -> tuple[str, ...]:
        if service in BUGS[bug].services:
            return (sys.executable, "-m", "tests.torture.planted", bug, service, str(port))
        return services.uvicorn(service, port)

    return command


async def _play(outcome: Outcome, stage: Stage, sources: Sources, say: Say) -> None:
    spec, ledger = outcome.spec, outcome.ledger
    say(f"{spec.events:,} events at {spec.rate:g}/s, {spec.faults} faults, seed {spec.seed}")
    way, office = await stage.way_to_gateway("load"), await stage.way_to_gateway("steward")
    roads = Roads(kafka=stage.kafka, http=(way, stage.admin_key), namespace=stage.namespace)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(roads)
        traffic = Traffic(spec, ledger, roads)
        steward = await stack.enter_async_context(
            Steward(spec.patience, ledger.decided, families(spec), (office, stage.admin_key), sources.public)
        )
        stage.senders += [traffic, steward]
        strikes = Strikes(spec, stage, sources.channels, say)
        outcome.strikes = strikes.struck
        await asyncio.gather(traffic.run(), strikes.run())
        say("        faults and load are over")
        await stage.calm()
        refused = await _all_accepted(traffic) | await _all_accepted(steward)
        decided = ledger.decided
        say(f"        {len(decided.merges)} merges, {len(decided.undone)} undone, {len(decided.erased)} erased")
        outcome.late, outcome.moods = traffic.lateness.void, strikes.moods
        outcome.void += [
            f"{strike.kind} on {strike.target}: {strike.failed}" for strike in outcome.strikes if strike.failed
        ]
        assert roads.kafka, roads.http
        outcome.sent_again = roads.kafka.sent_again + (roads.http.sent_again if roads.http else 0)
        rejected = dict(roads.http.rejected) if roads.http else {}
    await _judge(outcome, stage, sources, rejected | refused, say)


async def _all_accepted(sender: Traffic | Steward) -> dict[str, int]:
    """Ingest must recover by itself: what is still not taken long after the last fault never will be."""
    try:
        await sender.finished()
    except Exception as error:  # noqa: BLE001 - every failure of a road is an answer of the platform's that must not be
        return {f"{type(error).__name__}: {error}": 1}
    return {}


async def _judge(outcome: Outcome, stage: Stage, sources: Sources, rejected: dict[str, int], say: Say) -> None:
    outcome.backlog, outcome.drain_seconds = await settled(sources, outcome.spec.patience, say)
    say(f"        at rest after {outcome.drain_seconds:.1f} s; still under way: {outcome.backlog}")
    began = time.monotonic()
    excused = BATCH * 3 * (len(outcome.strikes) + outcome.moods)
    found = await verdict(outcome.ledger, sources, await processes(stage, outcome), excused, rejected)
    health.recovered([strike.stuck for strike in outcome.strikes], found.breaches)
    health.drained(outcome.backlog.positions, outcome.backlog.outboxes, outcome.backlog.waiting, found.breaches)
    outcome.verdict = found
    outcome.lifeless, outcome.deaf = dict(stage.fleet.lifeless), list(stage.fleet.deaf)
    outcome.receivers = (await sources.channels.state())["lag"]
    if outcome.receivers["absent"] > ABSENT * outcome.receivers["seconds"]:
        outcome.void.append(f"the receivers fell behind: {outcome.receivers}")
    say(f"        judged in {time.monotonic() - began:.1f} s")
    if breach := found.breaches.first_event:
        outcome.path = [str(breach), *await path(breach, outcome.ledger, sources, found)]


async def processes(stage: Stage, outcome: Outcome) -> list[health.Readiness]:
    """What every process says of itself. One that was killed may have failed to start while what it needs was away; one
    that had to be ended because it said that it was not alive is explained by no fault.
    """
    away = len(outcome.strikes)
    fleet = stage.fleet
    restarts = fleet.restarts()
    found = []
    for name in fleet.names():
        port = stage.plan.layout.ports[name]
        status, said = await asyncio.to_thread(services.probe, port, "/readyz")
        killed = fleet.kills[name] - fleet.lifeless[name]
        explained = killed + away if killed else 0
        found.append(health.Readiness(name, status, said[:200], restarts.get(name, 0), explained))
    return found


def summary(found: Verdict) -> str:
    if not found.breaches:
        return f"{found.breaches.checks.total():,} checks, none failed"
    return "; ".join(f"{rule}: {count:,}" for rule, count in found.breaches.counts.most_common())
