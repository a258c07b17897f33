"""The whole platform on this machine, as a library: up, down, status. The command line and the demo both use it.

Everything here waits for processes and may take seconds; call it from a thread where there is an event loop.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from deploy.local import processes, servers, services, supervisor, topics
from deploy.local.errors import CannotStart, Died, NotReady
from deploy.local.layout import Layout, default_layout, remember, remembered
from deploy.local.processes import Record
from deploy.local.servers import Servers
from deploy.local.servers.server import Say

START_SECONDS = 120.0
ENDS_BEFORE_GIVING_UP = 1
DEFAULT_PARTITIONS = 4
EVERYTHING = (*servers.NAMES, *services.NAMES, supervisor.NAME)


@dataclass(frozen=True)
class Running:
    """A platform that answers."""

    layout: Layout
    servers: Servers
    admin_key: str

    @property
    def base_url(self) -> str:
        return self.layout.base_url


class AnotherCommand(CannotStart):
    """Somebody else is starting or stopping the same platform."""


def current() -> Layout:
    """The platform that the environment points to: on the ports it runs on, else on those it would start on."""
    layout = default_layout()
    before = remembered(layout.state)
    alive = any(processes.living(layout.run, name) for name in EVERYTHING)
    return before if alive else layout


def up(layout: Layout, say: Say, settings: Mapping[str, str] | None = None) -> Running:
    """Start all that does not run yet and wait until it is ready. `settings` go to every service as environment.

    A service that runs already keeps the settings that it was started with.
    """
    layout.create()
    with _alone(layout):
        remember(layout)
        found = servers.up(layout, say)
        environment = services.environment(layout, found, settings or {})
        _create_topics(found, environment)
        _start_services(layout, environment)
        _await_services(layout, say)
        return Running(layout, found, services.admin_key(layout))


def down(layout: Layout, *, wipe: bool = False) -> list[str]:
    """Stop what was started for this platform and nothing else; returns what ran. Safe to call again."""
    if not layout.run.exists():
        return []
    with _alone(layout):
        stopped = processes.stop(layout.run, [supervisor.NAME])
        # Services first, so that they leave their consumer groups and close their transactions properly.
        stopped += processes.stop(layout.run, services.NAMES)
        stopped += servers.down(layout)
    if wipe:
        for place in (layout.servers, layout.logs, layout.run):
            shutil.rmtree(place, ignore_errors=True)
    return stopped


def _create_topics(found: Servers, environment: Mapping[str, str]) -> None:
    told = {**os.environ, **environment}
    partitions = int(told.get("RAPPORT_PARTITIONS") or DEFAULT_PARTITIONS)
    asyncio.run(topics.create(found.kafka.url, told.get("RAPPORT_NAMESPACE", ""), partitions))


def _start_services(layout: Layout, environment: Mapping[str, str]) -> None:
    if processes.living(layout.run, supervisor.NAME):
        return
    for service in services.services(layout):
        if not processes.living(layout.run, service.name):
            (layout.run / f"{service.name}.json").unlink(missing_ok=True)
            processes.require_free(service.name, service.port)
    processes.start(
        supervisor.NAME,
        (sys.executable, "-m", "deploy.local.supervisor", str(layout.state)),
        run=layout.run,
        log=layout.log(supervisor.NAME),
        environment=environment,
        version=services.version(),
    )


def _await_services(layout: Layout, say: Say) -> None:
    began = time.monotonic()
    waiting = list(services.NAMES)
    while waiting:
        for name in list(waiting):
            record = processes.recorded(layout.run, name)
            if record and record.process() and services.ready(record.port):
                waiting.remove(name)
                say(f"{name} is ready")
            else:
                _give_up(layout, name, record, time.monotonic() - began)
        time.sleep(0.1)


def _give_up(layout: Layout, name: str, record: Record | None, waited: float) -> None:
    if not processes.living(layout.run, supervisor.NAME):
        raise Died(supervisor.NAME, layout.log(supervisor.NAME))
    if record and record.restarts >= ENDS_BEFORE_GIVING_UP and not record.process():
        raise Died(name, layout.log(name))
    if waited > START_SECONDS:
        raise NotReady(name, waited, layout.log(name))


@contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """One command at a time may change a platform."""
    with (layout.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherCommand(f"another command is starting or stopping the platform in {layout.state}") from None
        yield
