"""What a night's looks cost scoring: `python -m tests.bench.scores.nightly --customers 1000000`, figures as a table and JSON.

Each look is run once by the service's own handlers and stores, against a MongoDB of its own, one after the other in one
process as in the service. Blocked is the longest time for which the event loop did not come round, which is what the
events and requests of the instance that looks would have waited.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import json
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import TextIO

import psutil

from deploy.local.servers import Servers
from services.scoring.main import Parts, Stores
from services.scoring.settings import ScoringSettings
from shared.plumbing import Plumbing, settle_garbage
from tests import ladder
from tests.bench.scores.company import HORIZON, NOW, fill
from tests.scoring.memory import SetClock

LOOKS = ("refit", "choice", "channels", "pace", "reviews", "challengers", "profits", "churn", "uplift")
TICK_SECONDS = 0.005
SAMPLE_SECONDS = 0.02
STACKS_SECONDS = 0.04
MIB = 2**20


@dataclass
class Cost:
    """`peak_mib`: of the process's memory while it ran; `grown_mib`: over what it had before."""

    look: str
    wall_s: float = 0.0
    cpu_s: float = 0.0
    peak_mib: float = 0.0
    grown_mib: float = 0.0
    blocked_ms: float = 0.0


@asynccontextmanager
async def measured(look: str, stacks: TextIO | None = None) -> AsyncIterator[Cost]:
    cost, memory, done = Cost(look), psutil.Process().memory_info, threading.Event()
    before = memory().rss / MIB
    cost.peak_mib = before

    def watch() -> None:
        while not done.wait(SAMPLE_SECONDS):
            cost.peak_mib = max(cost.peak_mib, memory().rss / MIB)

    async def tick() -> None:
        while True:
            asked = time.perf_counter()
            if stacks:
                faulthandler.dump_traceback_later(STACKS_SECONDS, file=stacks)
            await asyncio.sleep(TICK_SECONDS)
            cost.blocked_ms = max(cost.blocked_ms, 1_000 * (time.perf_counter() - asked - TICK_SECONDS))

    watching, ticking = threading.Thread(target=watch), asyncio.create_task(tick())
    watching.start()
    began, used = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.wall_s, cost.cpu_s = time.perf_counter() - began, time.process_time() - used
        done.set()
        watching.join()
        ticking.cancel()
        cost.grown_mib = cost.peak_mib - before


async def night(servers: Servers, customers: int, only: list[str], stacks: TextIO | None) -> list[Cost]:
    settings = ScoringSettings(
        kafka_bootstrap=servers.kafka.url,
        mongo_url=servers.mongo.url,
        redis_url=servers.redis.url,
        namespace="nightly-",
        scoring_horizon_days=HORIZON,
        log_level="warning",
    )
    plumbing = Plumbing("scoring", settings)
    stores = Stores(plumbing.database)
    for prepare in stores.prepare():
        await prepare()
    began = time.perf_counter()
    await fill(plumbing.database, stores, customers)
    print(f"{customers:,} customers written in {time.perf_counter() - began:.0f} s", flush=True)
    parts = Parts(settings, stores, plumbing.messaging, SetClock(NOW))
    await parts.refitting.take_latest()
    # As the service does when it has started: what is there stays, and is not looked through again and again.
    settle_garbage()
    costs = []
    for look in only:
        async with measured(look, stacks) as cost:
            found = await _look(parts, look)
        print(f"{look}: {found}, {cost.wall_s:.1f} s, blocked {cost.blocked_ms:.0f} ms", flush=True)
        costs.append(cost)
    await plumbing.client.close()
    return costs


async def _look(parts: Parts, look: str) -> str:
    """What became of it. The refit is that after a release: nobody has been swept by this version yet."""
    if look == "refit":
        report = await parts.refitting.refit()
        return f"{report.outcome}, {report.told:,} told"
    await parts.looking.look_if_due(look)
    run = await parts.looking.last(look)
    return run.state if run else "not due"


def shown(costs: list[Cost]) -> str:
    heads = ("look", "wall s", "CPU s", "peak MiB", "grown MiB", "blocked ms")
    rows = [
        (c.look, f"{c.wall_s:.1f}", f"{c.cpu_s:.1f}", f"{c.peak_mib:.0f}", f"{c.grown_mib:.0f}", f"{c.blocked_ms:.0f}")
        for c in costs
    ]
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--only", default=",".join(LOOKS), help="looks, with commas between")
    parser.add_argument(
        "--stacks", type=argparse.FileType("w"), help="write here what ran whenever the loop was blocked"
    )
    given = parser.parse_args()
    with ladder.running(lambda line: print(line, flush=True)) as servers:
        costs = asyncio.run(night(servers, given.customers, given.only.split(","), given.stacks))
    print(shown(costs))
    print(json.dumps([asdict(cost) for cost in costs]))


if __name__ == "__main__":
    main()
