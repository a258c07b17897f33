"""Which servers a test run uses: those that are given, else containers, else this machine's own programs.

There is no rung called "skip": a run without servers fails.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from deploy.local import servers
from deploy.local.layout import ROOT, Layout, free
from deploy.local.servers import Servers
from tests import containers

RUNS = ROOT / "var/test"

Say = Callable[[str], None]


@contextmanager
def running(say: Say) -> Iterator[Servers]:
    """The servers of this run; what was started for it is stopped and wiped after it."""
    with ExitStack() as stack:
        found = _climb(stack, say)
        for line in found.lines():
            say(line)
        yield found


def _climb(stack: ExitStack, say: Say) -> Servers:
    if all(os.environ.get(variable) for variable in servers.VARIABLES.values()):
        return _local(stack, say)
    if containers.daemon_answers():
        try:
            return containers.start(stack)
        except Exception as error:  # noqa: BLE001 - whatever Docker's trouble is, there is one more rung
            stack.close()
            say(f"Docker answers, but the containers do not run: {error}")
    return _local(stack, say)


def _local(stack: ExitStack, say: Say) -> Servers:
    clear_abandoned()
    layout = Layout(RUNS / f"{os.getpid()}-{int(psutil.Process().create_time())}", free())
    stack.callback(shutil.rmtree, layout.state, ignore_errors=True)
    stack.callback(servers.down, layout)
    return servers.up(layout, say)


def clear_abandoned(runs: Path = RUNS) -> list[Path]:
    """Stop and wipe what a killed test run has left behind."""
    abandoned = [run for run in runs.glob("*-*") if not _alive(run)]
    for run in abandoned:
        servers.down(Layout(run, {}))
        shutil.rmtree(run, ignore_errors=True)
    return abandoned


def _alive(run: Path) -> bool:
    pid, _, started = run.name.partition("-")
    try:
        return abs(psutil.Process(int(pid)).create_time() - int(started)) < 3
    except (psutil.NoSuchProcess, ValueError):
        return False
