"""What all servers have in common: a program, its ports, how it is prepared and when it is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from deploy.local import processes
from deploy.local.layout import Layout

START_SECONDS = 60.0

Say = Callable[[str], None]
"""Tells the person at the terminal what goes on."""


@dataclass(frozen=True)
class Address:
    """Where a server is, what it is, and why it is this one."""

    url: str
    version: str
    why: str


@dataclass(frozen=True)
class Server:
    """A program that we can run as a server."""

    name: str
    version: str
    why: str
    command: tuple[str, ...]
    ports: tuple[int, ...]
    url: str
    prepare: Callable[[], None]
    ready: Callable[[], bool]

    def up(self, layout: Layout) -> Address:
        """Start it, unless it runs already, and wait until it answers."""
        record = processes.living(layout.run, self.name)
        if record is None:
            for port in self.ports:
                processes.require_free(self.name, port)
            self.prepare()
            record = processes.start(
                self.name,
                self.command,
                run=layout.run,
                log=layout.log(self.name),
                version=self.version,
                port=self.ports[0],
            )
        processes.await_ready(record, self.ready, log=layout.log(self.name), seconds=START_SECONDS)
        return Address(self.url, self.version, self.why)
