"""One simulated world: its time, its chance, its engines, and the processes that run in it."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Coroutine, Iterator, MutableMapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from unittest.mock import patch

import structlog

from shared.messaging import listener, messaging, producer
from tests.simulation.world.clock import simulated, wall
from tests.simulation.world.kafka import Cluster, SimulatedBroker, SimulatedProducer
from tests.simulation.world.loop import PROCESS, Loop, Process
from tests.simulation.world.mongo import Engine, SimulatedClient
from tests.simulation.world.weather import Weather

SILENT = 50
WATCH_SECONDS = 15.0
"""The watch of the lag does nothing that a run could fail on; its looks only cost time."""


class World:
    """Everything outside of the services. The seed decides all of it."""

    def __init__(self, seed: int, *, tracing: bool = False) -> None:
        self.chance = random.Random(seed)
        self.weather = Weather(self.chance)
        self.clear = Weather(self.chance)
        self.clear.clear_up()
        self.loop = Loop()
        self.engine = Engine(self.loop)
        self.cluster = Cluster(self.loop, self.chance, self.weather, self.chance.randint(1, 3))
        self.tracing = tracing
        self.trace: list[str] = []
        self._born = 0

    @property
    def now(self) -> datetime:
        return wall(self.loop)

    def note(self, *words: object) -> None:
        """A line of the trace, if anybody wants one."""
        if self.tracing and not self.loop.over:
            process = PROCESS.get()
            self.trace.append(
                f"{self.loop.now:9.3f} {process.name if process else '-':16} " + " ".join(map(str, words))
            )

    def process(self, name: str) -> Process:
        """A new process; two of the same name are two lives of one instance."""
        self._born += 1
        return Process(name, self.loop)

    def client(self, *, calm: bool = False) -> SimulatedClient:
        """`calm`: only the server itself may fail, but no call on its way."""
        return SimulatedClient(self.engine, self.chance, self.clear if calm else self.weather)

    def kill(self, process: Process) -> None:
        self.note("killed:", process.name)
        process.dead = True
        self.cluster.silent(process)

    def pause(self, process: Process, seconds: float) -> None:
        self.note("paused:", process.name, f"{seconds:.1f} s")
        process.paused_until = max(process.paused_until, self.loop.now + seconds)
        self.cluster.silent(process)

    def run(self, story: Callable[[], Coroutine[Any, Any, None]], most_steps: int) -> None:
        with self._in_place():
            self.loop.run(story(), most_steps)

    @contextmanager
    def _in_place(self) -> Iterator[None]:
        """The seams at which the services touch the real world lead into this one."""
        before = structlog.get_config()
        structlog.configure(
            processors=[self._log],
            wrapper_class=structlog.make_filtering_bound_logger(20 if self.tracing else SILENT),
            cache_logger_on_first_use=False,
        )
        with ExitStack() as stack:
            stack.callback(partial(structlog.configure, **before))
            stack.enter_context(simulated(self.loop, self.chance))
            stack.enter_context(patch.object(messaging, "KafkaBroker", lambda *_, **__: SimulatedBroker(self.cluster)))
            stack.enter_context(patch.object(messaging, "make_patient", lambda broker: broker))
            stack.enter_context(patch.object(producer, "AIOKafkaProducer", lambda **_: SimulatedProducer(self.cluster)))
            stack.enter_context(patch.object(listener, "WATCH_SECONDS", WATCH_SECONDS))
            if not self.tracing:
                # Only the log wants to know where an error comes from, and finding out is dear.
                stack.enter_context(patch.object(traceback, "extract_tb", lambda _: []))
            yield

    def _log(self, _logger: Any, _method: str, entry: MutableMapping[str, Any]) -> str:
        self.note("log", " ".join(f"{name}={value}" for name, value in entry.items()))
        raise structlog.DropEvent
