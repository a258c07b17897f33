"""The platform that is fuzzed: its own on this machine, how it is seen from outside, and whether it is well."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from deploy.local import platform, processes, services, state
from deploy.local.layout import Layout
from deploy.local.routes import SERVICES
from tests.waiting import eventually

LOOKS = 3
BETWEEN_LOOKS = 2.5
"""Services measure their lag every two seconds."""
UNEXPECTED = re.compile(r"Traceback|never awaited|was never retrieved")


@dataclass(frozen=True)
class Stage:
    """A running platform."""

    layout: Layout
    base_url: str
    key: str
    bootstrap: str
    namespace: str
    partitions: int
    pids: dict[str, int] = field(default_factory=dict)

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.layout.ports[service]}"

    def faults(self) -> list[str]:
        """A service that died, was started again, is halted or lags."""
        found = []
        for row in state.rows(self.layout):
            if not row.fine or row.restarts or (row.name in self.pids and row.pid != self.pids[row.name]):
                found.append(f"{row.name} is {row.state} after {row.restarts} restarts: {row.why}")
            if row.lag:
                found.append(f"{row.name} is {row.lag} records behind")
        return found + [
            f"{service}: consumer {group} is halted" for service in SERVICES for group in self._halted(service)
        ]

    def _halted(self, service: str) -> list[str]:
        status, page = services.probe(self.layout.ports[service], "/metrics")
        if status != HTTPStatus.OK:
            return [f"nobody answers, {status}"]
        families = [f for f in text_string_to_metric_families(page) if f.name == "rapport_consumer_halted"]
        return [sample.labels["group"] for family in families for sample in family.samples if sample.value]

    async def idle(self, within: float) -> None:
        """Wait until nobody has had anything to do for some looks in a row."""
        quiet = 0

        async def look() -> bool:
            nonlocal quiet
            lag = sum(row.lag or 0 for row in await asyncio.to_thread(state.rows, self.layout))
            quiet = 0 if lag else quiet + 1
            if quiet < LOOKS:
                await asyncio.sleep(BETWEEN_LOOKS)
            return quiet >= LOOKS

        await eventually(look, within)

    def errors(self) -> Counter[str]:
        """What the services have logged as errors, by event; anything that is no log line is one too."""
        found: Counter[str] = Counter()
        for service in SERVICES:
            for line in self.layout.log(service).read_text(errors="replace").splitlines():
                if event := _error(line):
                    found[f"{service}: {event}"] += 1
        return found


def _error(line: str) -> str | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return line[:200] if UNEXPECTED.search(line) else None
    if entry.get("level") not in {"error", "critical"}:
        return None
    return " ".join(str(entry[name]) for name in ("event", "group", "job", "route", "error", "at") if entry.get(name))


@contextmanager
def running(layout: Layout, namespace: str, partitions: int) -> Iterator[Stage]:
    """Started for this run and wiped after it."""
    platform.down(layout, wipe=True)
    settings = {
        "RAPPORT_NAMESPACE": namespace,
        "RAPPORT_PARTITIONS": str(partitions),
        # Or whatever is behind the public pages' first answers would hardly be reached.
        "RAPPORT_CONTACTS_PUBLIC_PER_MINUTE": "1000000",
    }
    try:
        found = platform.up(layout, lambda _: None, settings)
        pids = {
            name: record.pid for name in services.NAMES if (record := processes.recorded(layout.run, name)) is not None
        }
        yield Stage(layout, found.base_url, found.admin_key, found.servers.kafka.url, namespace, partitions, pids)
    finally:
        platform.down(layout)


def keep_logs(layout: Layout, place: Path) -> None:
    """What a run that went wrong has logged."""
    place.mkdir(parents=True, exist_ok=True)
    for log in layout.logs.glob("*.log"):
        (place / log.name).write_bytes(log.read_bytes())
