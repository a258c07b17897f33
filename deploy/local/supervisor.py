"""Keeps a platform's services running: a small detached process that starts again what ends unasked.

It only starts. Stopping is `rapport down`, which ends this process first. Servers with data (Kafka, MongoDB, Redis)
are not its business: when one of them dies, a person should know.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import processes
from deploy.local.layout import Layout, remembered
from deploy.local.processes import Record
from deploy.local.services import Service, services, version

NAME = "supervisor"
LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SOUND_SECONDS = 60.0
"""A process that has lived this long is forgiven its earlier ends."""


def pause(ends: int) -> float:
    """How long to wait before the next start, after so many ends in a row."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** max(0, ends - 1), LONGEST_PAUSE_SECONDS)


@dataclass
class Watched:
    """One service under watch."""

    service: Service
    layout: Layout
    record: Record | None = None
    ends: int = 0
    next_start: float = field(default=0.0)

    def look(self, now: float) -> None:
        """Start it if it does not run and its pause is over."""
        if self.record and self.record.process():
            if now - self.record.started > SOUND_SECONDS:
                self.ends = 0
            return
        if self.record:
            self._mourn(self.record, now)
        elif now >= self.next_start:
            self.record = self._start()

    def _mourn(self, record: Record, now: float) -> None:
        self.ends += 1
        self.next_start = now + pause(self.ends)
        self.record = None
        say(f"{self.service.name} (pid {record.pid}) has ended; it starts again in {pause(self.ends):.1f} s")

    def _start(self) -> Record:
        before = processes.recorded(self.layout.run, self.service.name)
        if before and before.process():
            return before
        record = processes.start(
            self.service.name,
            self.service.command,
            run=self.layout.run,
            log=self.layout.log(self.service.name),
            environment=self.service.environment(),
            version=version(),
            port=self.service.port,
            restarts=before.restarts + 1 if before else 0,
        )
        say(f"{record.name} runs (pid {record.pid})")
        return record


def say(line: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%S%z"), line, flush=True)


def main(state: Path) -> None:
    layout = remembered(state)
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    watched = [Watched(service, layout) for service in services(layout)]
    while not over.wait(LOOK_SECONDS):
        for one in watched:
            one.look(time.time())
    say("no longer watching")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
