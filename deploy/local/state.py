"""How a platform is doing: one row for each server and service."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from http import HTTPStatus

import psutil
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import processes, servers, services
from deploy.local.errors import Unreachable, tail
from deploy.local.layout import Layout
from deploy.local.processes import Record
from deploy.local.routes import SERVICES
from deploy.local.servers import kafka

LAG = "rapport_lag"


@dataclass(frozen=True)
class Row:
    """One server or service as it is now."""

    name: str
    state: str
    """`ready`, `not ready`, `died`, `stopped`, or, for a server that is not ours, `given`."""
    version: str = ""
    pid: int | None = None
    port: int | None = None
    seconds: float | None = None
    """How long it has run."""
    memory_mb: int | None = None
    restarts: int = 0
    lag: int | None = None
    """Records that it has not consumed yet, over all its topics."""
    why: str = ""
    """What is known where it is not ready."""

    @property
    def fine(self) -> bool:
        return self.state in {"ready", "given"}


def rows(layout: Layout) -> list[Row]:
    return [
        *(_server(layout, name) for name in servers.NAMES),
        *(_service(layout, name) for name in services.NAMES),
    ]


def _server(layout: Layout, name: str) -> Row:
    if os.environ.get(servers.VARIABLES[name]):
        try:
            found = servers.given(name)
        except Unreachable as error:
            return Row(name, "not ready", why=str(error))
        return Row(name, "given", version=found.version if found else "")
    record = processes.recorded(layout.run, name)
    return _row(layout, name, record, answering=_answers(record), why="it runs, but does not answer")


def _answers(record: Record | None) -> bool:
    """MongoDB and Redis speak other languages, but whoever takes requests also takes connections."""
    if record is None or not record.process():
        return False
    return kafka.answers("127.0.0.1", record.port) if record.name == "kafka" else processes.listens(record.port)


def _service(layout: Layout, name: str) -> Row:
    record = processes.recorded(layout.run, name)
    if record is None or not record.process():
        return _row(layout, name, record, answering=False, why="")
    status, body = services.probe(record.port, "/readyz")
    why = f"/readyz says {status}: {body[:500]}" if status else "it does not answer"
    return _row(layout, name, record, answering=status == HTTPStatus.OK, why=why)


def _row(layout: Layout, name: str, record: Record | None, *, answering: bool, why: str) -> Row:
    if record is None:
        return Row(name, "stopped")
    process = record.process()
    if process is None:
        return Row(
            name,
            "died",
            record.version,
            record.pid,
            record.port,
            restarts=record.restarts,
            why=f"the end of {layout.log(name)}:\n{tail(layout.log(name))}",
        )
    return Row(
        name,
        "ready" if answering else "not ready",
        record.version,
        record.pid,
        record.port,
        seconds=time.time() - record.started,
        memory_mb=_memory_mb(process),
        restarts=record.restarts,
        lag=_lag(record.port) if name in SERVICES else None,
        why="" if answering else why,
    )


def _memory_mb(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_info().rss // 1_048_576)
    except psutil.Error:
        return None


def _lag(port: int) -> int | None:
    status, page = services.probe(port, "/metrics")
    if status != HTTPStatus.OK:
        return None
    found = [
        sample.value
        for family in text_string_to_metric_families(page)
        if family.name == LAG
        for sample in family.samples
    ]
    return int(sum(found)) if found else None
