"""Each kind of fault by itself, under a light load: `python -m tests.torture.faults "mongo killed" --times 3`.

A trial, not the torture test: it prints how long each recovery took, which processes died without being asked to, and
whether the platform's own sums agree with what was sent. The invariants that count are the torture test's.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path

from aiohttp import ClientSession, web

from deploy.local.layout import ROOT
from tests.load import Message, Mix, Roads, messages
from tests.torture.console import quieten_kafka
from tests.torture.faults import KINDS, Fault, NotRecovered, Plan, Stage, draw, recovered

CHANNEL = "trial"
STEP_SECONDS = 0.1
DRAIN_SECONDS = 120.0
SETTINGS = {
    "RAPPORT_SYNC_RETRY_SCHEDULE": json.dumps([1, 2, 5, *[5] * 60]),
    "RAPPORT_SYNC_LONGEST_PAUSE": "5",
    "RAPPORT_SYNC_WEBHOOK_TIMEOUT": "5",
    "RAPPORT_SYNC_LEASE_SECONDS": "12",
}


class Load:
    """A steady one, which counts what the platform has taken."""

    def __init__(self, roads: Roads, rate: float, seed: int) -> None:
        self._roads = roads
        self._rate = rate
        self._messages: Iterator[Message] = messages(Mix(customers=500, tag=f"trial{seed}"), 10_000_000, seed)
        self._may = asyncio.Event()
        self._may.set()
        self.orders: dict[str, Decimal] = {}
        roads.on_accepted = self._account

    def _account(self, message: Message) -> None:
        entry = message.entry
        if entry.kind == "sale" and entry.order:
            self.orders[f"{entry.channel.name} {entry.order}"] = entry.total

    async def run(self) -> None:
        while True:
            await self._may.wait()
            self._roads.hand(itertools.islice(self._messages, max(1, round(self._rate * STEP_SECONDS))))
            await asyncio.sleep(STEP_SECONDS)

    async def pause(self) -> None:
        self._may.clear()
        await self._roads.drained(DRAIN_SECONDS)

    async def resume(self) -> None:
        self._may.set()


@asynccontextmanager
async def loaded(stage: Stage, rate: float, seed: int) -> AsyncIterator[Load]:
    async with Roads(kafka=stage.kafka, http=(stage.base_url, stage.admin_key)) as roads:
        load = Load(roads, rate, seed)
        stage.senders.append(load)
        running = asyncio.create_task(load.run())
        try:
            yield load
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def channel(stage: Stage) -> AsyncIterator[None]:
    """One that takes everything, registered with the platform."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = await stage.channel(CHANNEL, runner.addresses[0][1])
    said = {"channel_id": CHANNEL, "kind": "webhook", "purpose": "service", "basis": "contract", "url": url + "/"}
    headers = {"authorization": f"Bearer {stage.admin_key}"}
    async with ClientSession(stage.base_url, headers=headers) as client:
        async with client.post("/v1/channels", json=said | {"fields": ["*"]}) as answer:
            assert answer.status == HTTPStatus.CREATED, await answer.text()
        yield
    await runner.cleanup()


async def tried(stage: Stage, fault: Fault, most: float) -> str:
    began = time.monotonic()
    try:
        try:
            await fault.strike()
            await asyncio.sleep(min(fault.seconds, most))
        finally:
            await fault.heal()
        lasted = time.monotonic() - began
        return f"lasted {lasted:5.1f} s, recovered after {await recovered(stage, fault, within=150):6.2f} s"
    except NotRecovered as error:
        return f"NOT RECOVERED: {error}"


async def settled(stage: Stage, load: Load) -> list[str]:
    """What is wrong when all has had time to arrive; empty where nothing is."""
    await load.pause()
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        wrong = await asyncio.to_thread(_wrong, stage, load)
        if not wrong or time.monotonic() > deadline:
            break
        await asyncio.sleep(1)
    unasked = [f"{name} died {count} times by itself" for name, count in stage.fleet.unasked().items()]
    unasked += [f"{name} was not alive {count} times" for name, count in stage.fleet.lifeless.items() if count]
    return wrong + unasked + [f"{name} had to be killed when it was to stop" for name in stage.fleet.deaf]


def _wrong(stage: Stage, load: Load) -> list[str]:
    request = urllib.request.Request(f"{stage.service_url('sync-1')}/v1/customers/summary")
    request.add_header("authorization", f"Bearer {stage.admin_key}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            told = json.load(answer)
    except OSError as error:
        return [f"sync does not answer: {error}"]
    expected = (len(load.orders), sum(load.orders.values(), Decimal(0)))
    found = (told["orders"], Decimal(str(told["total"])))
    return [] if found == expected else [f"orders and their total: {found}, but {expected} were taken"]


async def run(asked: argparse.Namespace) -> int:
    rng = random.Random(asked.seed)
    plan = Plan(asked.state.resolve(), asked.base, asked.instances, settings=SETTINGS, disk_mb=asked.disk_mb)
    wrong: list[str] = []
    async with Stage.open(plan) as stage, channel(stage), loaded(stage, asked.rate, asked.seed) as load:
        await asyncio.sleep(asked.warm_up)
        for kind in asked.kinds or KINDS:
            for _ in range(asked.times):
                fault = draw(rng, stage, [kind])
                print(f"{fault!r}: {await tried(stage, fault, asked.most)}", flush=True)
        wrong = await settled(stage, load)
    for line in wrong or ["all that was taken has arrived, once"]:
        print(line)
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", help=f"of {', '.join(KINDS)}; all if none is named")
    parser.add_argument("--base", type=int, default=26_000)
    parser.add_argument("--state", type=Path, default=ROOT / "var/torture/trial")
    parser.add_argument("--instances", type=int, default=2)
    parser.add_argument("--rate", type=float, default=40.0)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--most", type=float, default=30.0, help="seconds that a fault lasts at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--warm-up", type=float, default=5.0)
    parser.add_argument("--disk-mb", type=int, default=None)
    quieten_kafka()
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
