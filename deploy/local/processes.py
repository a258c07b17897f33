"""Starting and stopping detached processes, and knowing one's own again: a record with pid and start time for each.

Only a process whose record still fits (same pid, same start time) is ever signalled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deploy.local.errors import Died, NotReady, PortTaken

CLOCK_STEP_SECONDS = 2.0
"""The kernel tells start times since boot; turned into wall time they may shift a little when the clock is set."""
GRACE_SECONDS = 30.0

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Processes started by this very process: someone has to take their exit status, or they stay as zombies."""


@dataclass(frozen=True)
class Record:
    """One process that we started."""

    name: str
    pid: int
    started: float
    version: str
    port: int
    restarts: int = 0

    def process(self) -> psutil.Process | None:
        """The living process, or None where it is gone or its pid belongs to somebody else now."""
        if child := _children.get(self.pid):
            child.poll()
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOCK_STEP_SECONDS
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        return None


def start(
    name: str,
    command: Sequence[str],
    *,
    run: Path,
    log: Path,
    environment: Mapping[str, str] | None = None,
    version: str = "",
    port: int = 0,
    restarts: int = 0,
) -> Record:
    """Start a process that outlives us and the terminal, and write its record."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    _children[child.pid] = child
    record = Record(name, child.pid, psutil.Process(child.pid).create_time(), version, port, restarts)
    path = run / f"{name}.json"
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(path)
    return record


def recorded(run: Path, name: str) -> Record | None:
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        return Record(**json.loads((run / f"{name}.json").read_text()))
    return None


def living(run: Path, name: str) -> Record | None:
    record = recorded(run, name)
    return record if record and record.process() else None


def stop(run: Path, names: Iterable[str], grace: float = GRACE_SECONDS) -> list[str]:
    """Ask all to end, wait, then end those that would not. Returns the names of those that ran."""
    processes = {name: process for name in names if (process := _process(run, name))}
    for process in processes.values():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, deaf = psutil.wait_procs(list(processes.values()), timeout=grace)
    for process in deaf:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    psutil.wait_procs(deaf, timeout=5)
    for name in names:
        (run / f"{name}.json").unlink(missing_ok=True)
    for process in processes.values():
        if child := _children.pop(process.pid, None):
            child.wait()
    return list(processes)


def _process(run: Path, name: str) -> psutil.Process | None:
    record = recorded(run, name)
    return record.process() if record else None


def await_ready(record: Record, ready: Callable[[], bool], *, log: Path, seconds: float) -> None:
    """Wait until the process answers; say why if it ends or never does."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not record.process():
            raise Died(record.name, log)
        if time.monotonic() > deadline:
            raise NotReady(record.name, seconds, log)
        time.sleep(0.05)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def require_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(name, port, _owner(port)) from None


def _owner(port: int) -> str:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                process = psutil.Process(connection.pid)
                return f"process {connection.pid} ({' '.join(process.cmdline())[:120]})"
    return "another process"
