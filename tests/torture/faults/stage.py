"""The platform under torture: our local one, with two instances of each service and a link of its own between any two.

Everything it starts, it ends, and it signals nobody else; also when it is interrupted. What a stage that was killed has
left in the same directory is cleared by the next one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from typing import Protocol

from deploy.local import processes, services, topics as local_topics
from deploy.local.layout import ROOT
from deploy.local.servers.server import Say
from tests.torture.faults import wiring
from tests.torture.faults.clocks import Clocks
from tests.torture.faults.disk import Disk
from tests.torture.faults.engines import Engines
from tests.torture.faults.fleet import Fleet
from tests.torture.faults.plan import Plan
from tests.torture.proxy import Link, Links

GATEWAY = "gateway"


class Sender(Protocol):
    """A channel system that can be asked to wait, as an operator would ask it."""

    async def pause(self) -> None:
        """Send nothing more; returns when all that was sent has been acknowledged or refused."""

    async def resume(self) -> None: ...


class Stage:
    """Open it with `Stage.open`."""

    def __init__(self, plan: Plan, links: Links, engines: Engines, fleet: Fleet, clocks: Clocks | None) -> None:
        self.plan = plan
        self.links = links
        self.engines = engines
        self.fleet = fleet
        self.clocks = clocks
        self.disk: Disk | None = None
        self.partitions = plan.partitions
        self.senders: list[Sender] = []
        """Whoever sends while faults strike should be in it: adding partitions asks them to wait."""
        self.channels: list[str] = []
        self._held: dict[str, asyncio.Lock] = {}

    @staticmethod
    @asynccontextmanager
    async def open(plan: Plan, say: Say = print) -> AsyncIterator[Stage]:
        async with AsyncExitStack() as stack:
            stack.enter_context(_terminated_as_interrupted())
            yield await _build(plan, say, stack)

    # Where it can be reached from outside, past all links

    @property
    def namespace(self) -> str:
        return self.plan.settings.get("RAPPORT_NAMESPACE", "")

    @property
    def base_url(self) -> str:
        return self.plan.layout.base_url

    @property
    def admin_key(self) -> str:
        return services.admin_key(self.plan.layout)

    @property
    def kafka(self) -> str:
        return f"127.0.0.1:{self.plan.layout.ports['kafka']}"

    @property
    def mongo(self) -> str:
        return f"mongodb://127.0.0.1:{self.plan.layout.ports['mongo']}/?replicaSet=rs0"

    def service_url(self, instance: str) -> str:
        return f"http://127.0.0.1:{self.plan.layout.ports[instance]}"

    # What else has links

    async def channel(self, channel_id: str, port: int) -> str:
        """The base URL under which sync is to reach the receiver of this channel, which listens on `port`."""
        link = await self.links.open(f"sync>{channel_id}", [("127.0.0.1", port)])
        self.channels.append(channel_id)
        return f"http://127.0.0.1:{link.port}"

    async def way_to_gateway(self, caller: str) -> str:
        """A base URL of the platform for one caller from outside, behind a link of its own."""
        return f"http://127.0.0.1:{(await self._from_outside(caller, GATEWAY)).port}"

    async def _from_outside(self, caller: str, to: str) -> Link:
        return await self.links.open(f"{caller}>{to}", [("127.0.0.1", self.plan.layout.ports[to])])

    def hold(self, thing: str) -> asyncio.Lock:
        """To be held by whoever strikes it: a process, a server, a link, somebody's clock."""
        return self._held.setdefault(thing, asyncio.Lock())

    async def calm(self) -> None:
        """End whatever faults have left: all that should run runs, on a fair network, with right clocks and free disks."""
        await self.links.calm()
        if self.clocks:
            self.clocks.right()
        if self.disk:
            self.disk.empty()
        for name in list(self.fleet.frozen):
            self.fleet.thaw(name)
        await self.engines.up()


async def _build(plan: Plan, say: Say, stack: AsyncExitStack) -> Stage:
    layout = plan.layout
    await _clear(plan)
    layout.create()
    links = Links(plan.seed)
    stack.push_async_callback(links.close)
    listeners = await wiring.open_links(plan, links)
    clocks = Clocks(layout.run / "clocks") if plan.clocks else None
    if clocks:
        clocks.build()
    dress = {"mongo": _env(clocks.environment("mongo")), "kafka": _env(clocks.environment("kafka"))} if clocks else {}
    engines = Engines(layout, listeners, dress, say)
    common = services.environment(layout, engines.addresses(), {})
    fleet = Fleet(layout, wiring.processes(plan, links, clocks, common))
    stage = Stage(plan, links, engines, fleet, clocks)
    if plan.disk_mb:
        stage.disk = Disk(layout.state / "mongo.img", layout.servers / "mongo", plan.disk_mb)
        stack.push_async_callback(stage.disk.unmount)
        await stage.disk.mount()
    stack.push_async_callback(engines.down)
    await engines.up()
    say(f"Kafka, MongoDB and Redis answer; {len(list(links))} links")
    await local_topics.create(stage.kafka, stage.namespace, plan.partitions)
    wiring.remember_gateway(plan, links)
    stack.push_async_callback(fleet.down)
    await fleet.up([*(one.name for one in plan.regulars()), GATEWAY])
    say(f"{len(fleet.names())} processes are ready at {stage.base_url}")
    return stage


async def _clear(plan: Plan) -> None:
    """What an earlier stage has left in this directory, its data included."""
    layout = plan.layout
    if layout.state in {ROOT, ROOT / "var"}:
        raise ValueError("a stage needs a directory of its own: what is in it is deleted")
    names = [path.stem for path in layout.run.glob("*.json")]
    for name in names:
        _thaw(plan, name)
    await asyncio.to_thread(processes.stop, layout.run, names, 5.0)
    with suppress(PermissionError):
        await Disk(layout.state / "mongo.img", layout.servers / "mongo", 0).unmount()
    for place in (layout.servers, layout.logs, layout.run):
        shutil.rmtree(place, ignore_errors=True)


def _thaw(plan: Plan, name: str) -> None:
    record = processes.living(plan.layout.run, name)
    with suppress(ProcessLookupError):
        if record:
            os.kill(record.pid, signal.SIGCONT)


def _env(variables: dict[str, str]) -> tuple[str, ...]:
    return ("env", *(f"{name}={value}" for name, value in variables.items()))


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM ends the stage as Ctrl-C does: everything is undone."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
