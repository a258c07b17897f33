"""Clocks that are set, disks that are filled, processes that are kept running: each on something small and real."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from deploy.local.layout import Layout, free
from deploy.local.services import Service
from tests.torture.faults.clocks import Clocks
from tests.torture.faults.disk import Disk, NoDisk
from tests.torture.faults.fleet import Fleet
from tests.torture.faults.plan import Plan
from tests.waiting import eventually

READY = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        dead = self.path == "/livez" and sys.argv[2] == "dead"
        self.send_response(503 if dead else 200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
TELL = """
import sys, time, datetime
for _ in sys.stdin:
    print(time.time(), time.monotonic(), datetime.datetime.now(datetime.UTC).timestamp(), flush=True)
"""
WAIT = """
import ctypes, time
class Moment(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]
libc = ctypes.CDLL(None)
condition, mutex = ctypes.create_string_buffer(48), ctypes.create_string_buffer(40)
libc.pthread_mutex_lock(mutex)
began, until = time.monotonic(), time.time() + 0.3
moment = Moment(int(until), int(until % 1 * 1e9))
error = libc.pthread_cond_timedwait(condition, mutex, ctypes.byref(moment))
print(error, time.monotonic() - began)
"""
"""A wait until 0.3 s from now by the wall clock, as a server written in C++ waits."""


def test_a_clock_that_is_set_moves_the_wall_time_of_its_process_and_nothing_else(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path)
    clocks.build()
    environment = {**os.environ, **clocks.environment("it")}
    clocks.environment("other")
    command = [sys.executable, "-c", TELL]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdin
        assert it.stdout
        for jump in (0.0, 3600.0, -86_400.5, 0.0):
            clocks.set("it", jump)
            clocks.set("other", 77.0)
            it.stdin.write("\n")
            it.stdin.flush()
            wall, monotonic, datetime = map(float, it.stdout.readline().split())
            assert wall == pytest.approx(time.time() + jump, abs=0.5)
            assert datetime == pytest.approx(wall, abs=0.5)
            assert monotonic == pytest.approx(time.monotonic(), abs=0.5)
        assert clocks.offset("other") == 77.0
        clocks.right()
        assert clocks.offset("other") == 0.0
        it.stdin.close()


@pytest.mark.parametrize("ahead", [3600.0, -3600.0])
def test_whoever_waits_until_a_moment_of_a_clock_that_is_off_waits_no_longer_and_no_shorter(
    tmp_path: Path, ahead: float
) -> None:
    clocks = Clocks(tmp_path)
    clocks.build()
    environment = {**os.environ, **clocks.environment("it")}
    clocks.set("it", ahead)
    told = subprocess.check_output([sys.executable, "-c", WAIT], env=environment, text=True, timeout=30)
    error, waited = told.split()
    assert int(error) == errno.ETIMEDOUT
    assert 0.29 < float(waited) < 15


async def test_a_disk_can_be_filled_to_the_last_block_and_freed_or_says_why_it_cannot_be_made(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "image", tmp_path / "place", 16)
    if os.geteuid():
        with pytest.raises(NoDisk, match="root"):
            await disk.mount()
        return
    await disk.mount()
    try:
        before = disk.free
        assert 8_000_000 < before < 16_000_000
        disk.fill()
        with pytest.raises(OSError, match="No space left") as full, (disk.place / "more").open("wb") as file:
            file.write(b"x" * 100_000)
        assert full.value.errno == errno.ENOSPC
        disk.empty()
        (disk.place / "more").write_bytes(b"x" * 100_000)
        await disk.mount()
        assert disk.free == before, "what a killed run has left mounted is replaced"
    finally:
        await disk.unmount()
    assert not disk.place.is_mount()
    assert not disk.image.exists()


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    layout = Layout(tmp_path, free())
    layout.create()
    names, ports = ("a-1", "a-2"), (layout.ports["contacts"], layout.ports["scoring"])
    members = {
        name: Service(name, (sys.executable, "-c", READY, str(port), "alive" if name == "a-1" else "dead"), port)
        for name, port in zip(names, ports, strict=True)
    }
    fleet = Fleet(layout, members, probe_seconds=0.1)
    try:
        await fleet.up(["a-1"])
        yield fleet
    finally:
        await fleet.down()


def pid(fleet: Fleet, name: str) -> int:
    record = fleet.record(name)
    return record.pid if record else 0


async def test_who_is_killed_is_started_again_and_the_fault_explains_it(fleet: Fleet) -> None:
    first = pid(fleet, "a-1")
    assert await fleet.kill("a-1")
    assert not psutil.pid_exists(first)
    await eventually(lambda: pid(fleet, "a-1") not in {0, first})
    await fleet.ready(["a-1"])
    assert fleet.restarts() == {"a-1": 1}
    assert fleet.unasked() == {}


async def test_who_dies_by_itself_is_noticed(fleet: Fleet) -> None:
    first = pid(fleet, "a-1")
    psutil.Process(first).kill()
    await eventually(lambda: pid(fleet, "a-1") not in {0, first})
    assert fleet.unasked() == {"a-1": 1}


async def test_who_says_that_it_is_not_alive_is_ended_and_started_again(fleet: Fleet) -> None:
    await fleet.start(["a-2"])
    await eventually(lambda: fleet.lifeless["a-2"] > 0)
    await fleet.ready(["a-2"])
    assert fleet.lifeless["a-1"] == 0
    assert fleet.unasked() == {}


async def test_a_frozen_process_does_nothing_until_it_is_thawed(fleet: Fleet) -> None:
    process = psutil.Process(pid(fleet, "a-1"))
    fleet.freeze("a-1")
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    assert fleet.frozen == {"a-1"}
    fleet.thaw("a-1")
    await fleet.ready(["a-1"], within=5)
    assert fleet.unasked() == {}
    assert fleet.frozen == set()


async def test_instances_leave_for_good_and_join_again(fleet: Fleet) -> None:
    guest = pid(fleet, "a-1")
    await fleet.leave("a-1")
    assert not psutil.pid_exists(guest)
    assert fleet.names() == []
    assert not await fleet.kill("a-1"), "nobody else's process is ever struck"
    await fleet.start(["a-1"])
    await fleet.ready(["a-1"])


async def test_everything_has_ended_afterwards_what_is_frozen_too(fleet: Fleet) -> None:
    frozen = pid(fleet, "a-1")
    fleet.freeze("a-1")
    await fleet.down()
    assert not psutil.pid_exists(frozen)
    assert fleet.deaf == []


def test_a_plan_has_no_port_twice_and_keeps_within_its_hundred() -> None:
    plan = Plan(Path("/nowhere"), 26_000, instances=2)
    ports = plan.layout.ports
    alike = {"contacts-1", "interactions-1", "campaigns-1", "scoring-1", "sync-1"}
    others = [port for name, port in ports.items() if name not in alike]
    assert len(others) == len(set(others))
    assert all(26_000 <= port <= 26_100 for port in ports.values())
    assert len(plan.regulars()) == 10
    assert len(plan.places()) == 15
    with pytest.raises(ValueError, match="instances"):
        _ = Plan(Path("/nowhere"), 26_000, instances=3).layout
