"""Servers without any service, and the CPU that work on them takes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from deploy.local import platform, processes, servers
from deploy.local.layout import Layout, shifted
from tests.bench.section import Stage


@dataclass(frozen=True)
class Cost:
    """CPU microseconds: an event, or whatever else is counted."""

    server: float
    client: float


@asynccontextmanager
async def bare(stage: Stage) -> AsyncIterator[tuple[servers.Servers, Layout]]:
    """Fresh servers without any service."""
    for variable in servers.VARIABLES.values():
        os.environ.pop(variable, None)  # somebody's own must not be filled with this
    layout = Layout(stage.place / "bare", shifted(stage.port_base))
    await asyncio.to_thread(platform.down, layout, wipe=True)
    try:
        yield await asyncio.to_thread(servers.up, layout, stage.say), layout
    finally:
        await asyncio.to_thread(platform.down, layout, wipe=True)


async def measured(layout: Layout, names: tuple[str, ...], count: int, work: Callable[[], Awaitable[None]]) -> Cost:
    """CPU of the servers and of this process while the work is done, for each of `count`."""
    before, own = used(layout, names), time.process_time()
    await work()
    return Cost((used(layout, names) - before) / count * 1e6, (time.process_time() - own) / count * 1e6)


def used(layout: Layout, names: tuple[str, ...]) -> float:
    """CPU seconds of servers so far."""
    total = 0.0
    for name in names:
        record = processes.living(layout.run, name)
        assert record
        process = record.process()
        assert process
        times = process.cpu_times()
        total += times.user + times.system
    return total
