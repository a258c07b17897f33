"""The platform, two listening channels, and trials one after the other on the same growing base of customers."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import psutil

from tests.bench.section import Stage
from tests.bench.trial.arrivals import CHANNELS, FORMAT
from tests.bench.trial.ground import Ground, Refused, ground
from tests.bench.trial.load import Load, Planned
from tests.bench.trial.outcome import Outcome, Sample
from tests.bench.trial.talker import Talker
from tests.bench.trial.watch import Watch
from tests.load.mix import Kind

FIELDS = ["contact.identifiers", "sales", "interactions", "score"]
STARTS_WITHIN = 30.0
SLOWEST = 100.0
"""Events a second that even an overwhelmed platform must get through; else waiting is given up."""
QUIET_WITHIN = 60.0
QUIET_LOOK = 0.25
CPU_TIMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq")
COUNTED: tuple[Kind, ...] = ("sale", "interaction")
"""What channels can count."""


class Site(Protocol):
    """What trials are played on: the platform, or something else that takes its load and delivers to its channels."""

    @property
    def kafka(self) -> str: ...

    @property
    def admin_key(self) -> str: ...

    def url(self, service: str) -> str: ...

    def cpu(self) -> dict[str, float]:
        """CPU seconds of each process so far."""

    def memory_mb(self) -> dict[str, int]: ...

    async def lag(self) -> int:
        """Records that have not been consumed yet."""

    async def check(self, orders: int, total: Decimal) -> None:
        """Raises Refused unless this is what there is by now."""


class Trials:
    """Everything that a trial needs, and the sums of all trials so far."""

    def __init__(self, site: Site, receivers: Talker, file: Path) -> None:
        self._site, self._receivers, self._file = site, receivers, file
        self.before: dict[Kind, Counter[int]] = {kind: Counter() for kind in COUNTED}
        self._visible = self._orders = self._trials = 0
        self._total = Decimal(0)

    async def play(self, load: Load, *, watch: bool = False) -> Outcome:
        """Send the load, wait for its last effect, and say what it took. The next trial begins on a quiet platform."""
        planned = await asyncio.to_thread(load.planned)
        await self._quiet()
        self._trials += 1
        watching = Watch(self._site.kafka) if watch else None
        async with AsyncExitStack() as stack:
            if watching:
                await stack.enter_async_context(watching)
            outcome = await self._send(load, planned)
        outcome.seen = watching.seen if watching else {}
        await self._check(planned)
        for kind in COUNTED:
            self.before[kind].update(planned.per_customer(kind))
        return outcome

    async def _send(self, load: Load, planned: Planned) -> Outcome:
        outcome = Outcome(load, planned, {kind: Counter(counted) for kind, counted in self.before.items()})
        outcome.arrivals_file = self._file
        outcome.arrivals_from = self._file.stat().st_size // FORMAT.size * FORMAT.size
        goal = self._visible + planned.visible
        self._receivers.heard = lambda told: outcome.samples.append(self._sample(told))
        async with self._generator(load) as generator:
            said = await generator.until(lambda said: "began" in said, STARTS_WITHIN, "its begin")
            outcome.began = said["began"]
            cpu, machine = self._cpu(), psutil.cpu_times()
            said = await generator.until(lambda said: "done" in said, load.seconds + 240, "its end")
            outcome.generator = said["done"]
        if said["done"]["accepted"] != load.count:
            raise Refused(f"of {load.count:,} events these were not taken: {said['done']['rejected']}")
        outcome.cpu["generator"] = said["done"]["cpu_seconds"] - said["cpu_before"]
        await self._delivered(goal, within=60 + load.count / SLOWEST)
        outcome.busy = busy(machine, psutil.cpu_times())
        await self._quiet()
        outcome.cpu |= {name: used - cpu.get(name, 0.0) for name, used in self._cpu().items()}
        self._receivers.heard = None
        outcome.receivers = dict(self._receivers.said)
        outcome.memory_mb = self._site.memory_mb()
        self._visible = goal
        return outcome

    def _sample(self, told: dict[str, Any]) -> Sample:
        return Sample(told["at"], tuple(events - self._visible for events in told["events"]))

    def _generator(self, load: Load) -> Talker:
        """Live: of events of long ago each would tell that its customer is long gone, and the next that they are back."""
        mix = {"tag": f"trial-{self._trials}", **load.mix}
        arguments = ("--rate", str(load.rate), "--count", str(load.count), "--seed", str(load.seed), "--live")
        where = ("--kafka", self._site.kafka, "--http", self._site.url("interactions"), "--road", load.road)
        return Talker("tests.load", (*arguments, *where, "--mix", json.dumps(mix)), {"LOAD_KEY": self._site.admin_key})

    def _cpu(self) -> dict[str, float]:
        return {**self._site.cpu(), "receivers": self._receivers.cpu, "bench": time.process_time()}

    async def _delivered(self, goal: int, within: float) -> None:
        def all_there(said: dict[str, Any]) -> bool:
            return bool(min(said["events"]) >= goal)

        await self._receivers.until(all_there, within, f"delivery of {goal:,} events to {' and '.join(CHANNELS)}")

    async def _quiet(self) -> None:
        """Until no service has anything left to consume, so that no trial pays for the one before."""
        deadline = time.monotonic() + QUIET_WITHIN
        while (lag := await self._site.lag()) > 0:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{lag:,} records are still not consumed after {QUIET_WITHIN:.0f} s")
            await asyncio.sleep(QUIET_LOOK)

    async def _check(self, planned: Planned) -> None:
        """Speed without exactness would be nothing: orders and money are held against the plan, to the cent."""
        self._orders += planned.count("sale")
        self._total += planned.total
        await self._site.check(self._orders, self._total)


class Arena(Trials):
    """Trials of the platform."""

    def __init__(self, ground: Ground, receivers: Talker, file: Path) -> None:
        super().__init__(ground, receivers, file)
        self.ground = ground


def busy(before: Any, after: Any) -> float:
    """The share of all cores' time that was not idle."""
    spent = {name: float(getattr(after, name) - getattr(before, name)) for name in CPU_TIMES}
    return 1 - (spent["idle"] + spent["iowait"]) / (sum(spent.values()) or 1.0)


@asynccontextmanager
async def arena(stage: Stage) -> AsyncIterator[Arena]:
    """A fresh platform with both channels listening before anything has happened."""
    stage.place.mkdir(parents=True, exist_ok=True)
    file = stage.place / "arrivals.bin"
    async with ground(stage) as place:
        secrets = await registered(place)
        stream = place.url("sync") + "/v1/channels/bench-sse/stream"
        arguments = ("--port", str(place.receiver_port), "--stream", stream, "--file", str(file))
        async with Talker("tests.bench.trial.receivers", arguments, secrets) as receivers:
            await receivers.until(lambda said: "events" in said, STARTS_WITHIN, "readiness")
            yield Arena(place, receivers, file)


async def registered(place: Ground) -> dict[str, str]:
    """The two channels, and what they need to know."""
    channel = {"purpose": "service", "basis": "contract", "fields": FIELDS}
    url = f"http://127.0.0.1:{place.receiver_port}/customers"
    hook = await place.post(
        "sync", "/v1/channels", channel | {"channel_id": "bench-webhook", "kind": "webhook", "url": url}
    )
    await place.post("sync", "/v1/channels", channel | {"channel_id": "bench-sse", "kind": "sse"})
    wanted = {"name": "bench-sse", "kind": "channel", "scopes": ["stream:read"], "channel_id": "bench-sse"}
    return {"WEBHOOK_SECRET": hook["secret"], "STREAM_KEY": (await place.post("sync", "/v1/keys", wanted))["key"]}
