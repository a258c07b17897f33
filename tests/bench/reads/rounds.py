"""Rounds of reads at rising concurrency: what each cost and how long it took, and the table of their medians."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.growth.figures import percentile
from tests.bench.growth.platform import Platform, between
from tests.bench.reads.asking import WAYS, Reader, Target, WrongAnswer, readers
from tests.bench.section import Row

Run = dict[str, Any]
"""One way at one concurrency in one round: plain figures."""
PROCESSES = ("sync", "gateway", "mongo")
BARE = "find_one"


@dataclass(frozen=True)
class Plan:
    at_once: Sequence[int]
    seconds: float
    """For which each way is asked, each time."""
    rounds: int


async def measure(platform: Platform, targets: Sequence[Target], plan: Plan, number: int) -> list[Run]:
    """One round: at each concurrency all ways one after the other, so that they meet the same weather."""
    chance = random.Random(number)
    return [
        await one_run(platform, name, targets, at_once, plan.seconds, chance)
        for at_once in plan.at_once
        for name in chance.sample(WAYS, len(WAYS))
    ]


async def one_run(
    platform: Platform, name: str, targets: Sequence[Target], at_once: int, seconds: float, chance: random.Random
) -> Run:
    async with readers(platform) as ways:  # for each run: services give up connections that nobody uses for a while
        reader = ways[name]
        await asked(reader, targets, at_once, min(0.2, seconds), chance)  # connections are made, and not measured
        before, own = platform.spent(), time.process_time()
        began = time.perf_counter()
        waits = await asked(reader, targets, at_once, seconds, chance)
        took = time.perf_counter() - began
        own = time.process_time() - own
        used = between(before, platform.spent()) | {"reader": own}
    return {
        "way": name,
        "at once": at_once,
        "reads": len(waits),
        "per second": len(waits) / took,
        "p50 ms": percentile(waits, 0.5) * 1000,
        "p99 ms": percentile(waits, 0.99) * 1000,
        "cpu us": {process: used[process] / len(waits) * 1e6 for process in ("reader", *PROCESSES) if process in used},
    }


async def asked(
    reader: Reader, targets: Sequence[Target], at_once: int, seconds: float, chance: random.Random
) -> list[float]:
    """Seconds that each read took, asked by so many at once, each again as soon as it has its answer."""
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def ask() -> None:
        while (began := time.perf_counter()) < end:
            target = chance.choice(targets)
            body = await reader(target)
            waits.append(time.perf_counter() - began)
            if target.customer_id.encode() not in body:
                raise WrongAnswer(f"{target} is not in {body[:200]!r}")

    async with asyncio.timeout(seconds + 60), asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(ask())
    return waits


def rows(runs: Iterable[Run]) -> list[Row]:
    """Medians over the rounds, beside the bare read at the same concurrency."""
    groups: dict[tuple[str, int], list[Run]] = {}
    for one in runs:
        groups.setdefault((one["way"], one["at once"]), []).append(one)
    order = sorted(groups, key=lambda place: (place[0].split(" ", 1)[1], not place[0].startswith(BARE), place))
    return [row(way, at_once, groups) for way, at_once in order]


def row(way: str, at_once: int, groups: Mapping[tuple[str, int], list[Run]]) -> Row:
    found, bare = groups[way, at_once], groups[f"{BARE} {way.split(' ', 1)[1]}", at_once]
    p99 = statistics.median(one["p99 ms"] for one in found)
    cells: dict[str, str | int | float] = {
        "read": way,
        "at once": at_once,
        "reads/s": round(statistics.median(one["per second"] for one in found)),
        "p50 ms": round(statistics.median(one["p50 ms"] for one in found), 2),
        "p99 ms": round(p99, 2),
        "p99 x find_one": round(p99 / statistics.median(one["p99 ms"] for one in bare), 2),
    }
    for process in ("reader", *PROCESSES):
        if all(process in one["cpu us"] for one in found):
            cells[f"{process}, CPU us"] = round(statistics.median(one["cpu us"][process] for one in found))
    return cells
