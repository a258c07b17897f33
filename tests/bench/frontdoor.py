"""Events in over HTTP, acknowledged by the broker, one by one and in batches: `python -m tests.bench.frontdoor`.

Only the front door is measured: interactions' own routes, judge and producer, in a process that consumes nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import statistics
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import psutil
from aiokafka import AIOKafkaConsumer
from fastapi import FastAPI

from deploy.local import processes, services, topics
from services.interactions import api
from services.interactions.handlers.gateway import Gateway
from services.interactions.handlers.rounds import Rounds
from services.interactions.settings import Settings
from shared.contracts.channels import INBOUND
from shared.messaging.envelope import BATCH, STRUCTURED
from shared.plumbing import Plumbing
from tests.bench.floor.bare import bare
from tests.bench.growth.platform import cpu_of
from tests.bench.line import Line
from tests.bench.section import ROOT, Row, Section, Stage, alone
from tests.bench.trial.figures import percentiles
from tests.load.messages import Writer
from tests.load.mix import mix_on

PATH = "/v1/events"
TARGETS = {1: 5_000, 100: 60_000}
"""Events a second, by how many a request holds."""
READY_WITHIN = 60.0
PARTITIONS = 12
CUSTOMERS = 10_000
AHEAD = 500
"""Requests that are written before the clock runs; then the same ones go again, which the front door cannot know."""
NOTES = """
Each connection sends its next request when the last one is answered, which is when Kafka has acknowledged all of it.
Sender, front doors and Kafka share this machine's two cores; a front door is one process, and so at most one core.
Events are the load's sales of about 400 bytes in structured mode; each is validated against its contract.
What stands in the topic at the end is held against what was acknowledged: a difference fails the section.
Medians of the rounds; the rounds' own figures are in the JSON.
""".strip().splitlines()


@dataclass(frozen=True)
class Way:
    """So many events a request, over so many connections."""

    events: int
    connections: int
    doors: int = 1


WAYS = (Way(1, 1), Way(1, 64), Way(1, 64, 2), Way(100, 1), Way(100, 8), Way(100, 16, 2), Way(1000, 8), Way(1000, 16, 2))


class Lost(Exception):
    """Other records are in Kafka than were acknowledged."""


@dataclass(frozen=True)
class Doors:
    """Front doors that run, their key, and the broker behind them."""

    urls: tuple[str, ...]
    key: str
    bootstrap: str
    processes: tuple[psutil.Process, ...]
    broker: psutil.Process

    def spent(self) -> tuple[float, float]:
        """CPU seconds of all front doors and of the broker."""
        return sum(map(cpu_of, self.processes)), cpu_of(self.broker)

    async def lines(self, way: Way) -> list[Line]:
        """Connections, each to the next door."""
        return [await Line.to(self.urls[number % way.doors], self.key) for number in range(way.connections)]


def create() -> FastAPI:
    """Interactions' front door and nothing behind it."""
    settings = Settings()
    plumbing = Plumbing("interactions", settings)
    gateway = Gateway(Rounds(plumbing.messaging), settings.currency)
    return plumbing.app(title="Front door", description="Events in.", routers=[api.events(gateway)])


@asynccontextmanager
async def open_doors(stage: Stage) -> AsyncIterator[Doors]:
    """Fresh servers and two processes in front of them, gone afterwards."""
    async with bare(stage) as (engines, layout):
        await topics.create(engines.kafka.url, "", PARTITIONS)
        environment = os.environ | services.environment(layout, engines, {"RAPPORT_LOG_LEVEL": "warning"})
        ports = [layout.ports[name] for name in ("interactions", "campaigns")]
        started = [subprocess.Popen(command(port), cwd=ROOT, env=environment) for port in ports]  # noqa: ASYNC220
        try:
            for port in ports:
                await asyncio.to_thread(await_ready, port)
            broker = processes.living(layout.run, "kafka")
            found = broker.process() if broker else None
            assert found, "the broker has just been started"
            urls = tuple(f"http://127.0.0.1:{port}" for port in ports)
            doors = tuple(psutil.Process(process.pid) for process in started)
            yield Doors(urls, services.admin_key(layout), engines.kafka.url, doors, found)
        finally:
            for process in started:
                process.terminate()
            for process in started:
                await asyncio.to_thread(process.wait)


def command(port: int) -> list[str]:
    """As interactions itself is started, with this module's application in its place."""
    ours = services.uvicorn("interactions", port)
    return ["tests.bench.frontdoor:create" if part.endswith("main:create") else part for part in ours]


def await_ready(port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while not services.ready(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the front door was not ready within {READY_WITHIN:.0f} s")
        time.sleep(0.1)


def requests(way: Way, tag: str) -> list[bytes]:
    """Bodies to send, all events with ids of their own."""
    mix = mix_on("http", customers=CUSTOMERS, tag=tag)
    writer, chance, channel = Writer(mix), random.Random(tag), mix.channels[0]
    count = AHEAD * way.events if way.events < 1000 else 50 * way.events
    events = [writer.write(n, channel, "sale", n % CUSTOMERS, chance).structured for n in range(count)]
    if way.events == 1:
        return events
    return [b"[%b]" % b",".join(events[begin : begin + way.events]) for begin in range(0, count, way.events)]


async def one_run(doors: Doors, way: Way, seconds: float, tag: str) -> dict[str, Any]:
    sent = itertools.cycle(requests(way, tag))
    lines = await doors.lines(way)
    try:
        await posted(lines, way, sent, min(0.5, seconds))  # for nothing to be cold
        before = await ends(doors.bootstrap)
        cpu, own = doors.spent(), time.process_time()
        began = time.perf_counter()
        waits = await posted(lines, way, sent, seconds)
        took = time.perf_counter() - began
        own = time.process_time() - own
        used = [after - was for after, was in zip(doors.spent(), cpu, strict=True)]
    finally:
        for line in lines:
            line.close()
    events = len(waits) * way.events
    if (there := await ends(doors.bootstrap) - before) != events:
        raise Lost(f"{there:,} records for {events:,} acknowledged events")
    return {
        **asdict(way),
        "per second": events / took,
        "front doors, CPU us an event": used[0] / events * 1e6,
        "kafka, CPU us an event": used[1] / events * 1e6,
        "sender, CPU us an event": own / events * 1e6,
        **{f"{name} ms": value * 1000 for name, value in percentiles(waits).items()},
    }


async def posted(lines: Sequence[Line], way: Way, sent: Iterator[bytes], seconds: float) -> list[float]:
    """Seconds that each request took, each connection sending its next one as soon as it has its answer."""
    media_type = STRUCTURED if way.events == 1 else BATCH
    waits: list[float] = []
    end = time.perf_counter() + seconds

    async def send(line: Line) -> None:
        while (began := time.perf_counter()) < end:
            answer = await line.post(PATH, media_type, next(sent))
            waits.append(time.perf_counter() - began)
            if orjson.loads(answer) != {"accepted": way.events, "rejected": []}:
                raise Lost(f"not all were taken: {answer[:300]!r}")

    async with asyncio.timeout(seconds + 60), asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(send(line))
    return waits


async def ends(bootstrap: str) -> int:
    """How many records the inbound topic holds."""
    consumer = AIOKafkaConsumer(INBOUND.name, bootstrap_servers=bootstrap)
    async with consumer:
        found = await consumer.end_offsets(list(consumer.assignment()))
        return int(sum(found.values()))


async def run(stage: Stage) -> Section:
    seconds = stage.pick(smoke=0.3, quick=2.0, normal=5.0, full=10.0)
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    ways = stage.pick(smoke=WAYS[2:3], quick=WAYS, normal=WAYS, full=WAYS)
    runs: list[dict[str, Any]] = []
    async with open_doors(stage) as doors:
        for number, way in itertools.product(range(rounds), ways):
            found = await one_run(doors, way, seconds, f"door-{number}-{way.events}-{way.connections}-{way.doors}")
            runs.append(found)
            stage.say(f"{way}: {found['per second']:,.0f} events/s")
    title = "The front door: events in over HTTP, acknowledged by the broker"
    return Section("frontdoor", title, rows_of(runs), NOTES, details={"runs": runs, "targets": TARGETS})


def rows_of(runs: Iterable[dict[str, Any]]) -> list[Row]:
    """Medians over the rounds."""
    groups: dict[Way, list[dict[str, Any]]] = {}
    for one in runs:
        groups.setdefault(Way(one["events"], one["connections"], one["doors"]), []).append(one)
    return [row(way, found) for way, found in groups.items()]


def row(way: Way, found: Sequence[dict[str, Any]]) -> Row:
    def middle(figure: str) -> float:
        return float(statistics.median(one[figure] for one in found))

    rate = middle("per second")
    target = TARGETS.get(way.events)
    return {
        "events a request": way.events,
        "connections": way.connections,
        "front doors": way.doors,
        "events/s": round(rate),
        "of the target": f"{rate / target:.0%}" if target else None,
        **{f"{name} ms": round(middle(f"{name} ms"), 1) for name in ("p50", "p99")},
        **{
            f"{who}, CPU us an event": round(middle(f"{who}, CPU us an event"), 1)
            for who in ("front doors", "kafka", "sender")
        },
    }


if __name__ == "__main__":
    alone("frontdoor", run, port_base=26_800)
