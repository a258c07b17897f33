"""Own processes are started, found again and stopped; anybody else's are left alone."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from deploy.local import processes
from deploy.local.errors import Died, NotReady, PortTaken
from deploy.local.processes import Record
from tests.waiting import until

WAITS = "import signal; signal.pause()"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.stop(tmp_path, [path.stem for path in tmp_path.glob("*.json")], grace=1)


def start(run: Path, code: str = WAITS, name: str = "one") -> Record:
    return processes.start(name, [sys.executable, "-c", code], run=run, log=run / f"{name}.log", version="1", port=1)


def test_a_started_process_is_found_again_by_its_record(run: Path) -> None:
    record = start(run)
    assert processes.living(run, "one") == record
    assert os.getsid(record.pid) == record.pid, "it must outlive the terminal"


def test_stopping_is_gentle_first_and_forgets_the_record(run: Path) -> None:
    code = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye', flush=True)))\n"
    start(run, code + "print('up', flush=True); signal.pause()")
    until(lambda: "up" in (run / "one.log").read_text(), "the process")
    assert processes.stop(run, ["one"]) == ["one"]
    assert (run / "one.log").read_text() == "up\nbye\n"
    assert processes.recorded(run, "one") is None
    assert processes.stop(run, ["one"]) == [], "stopping again does nothing"


def test_a_process_that_does_not_listen_is_ended_after_its_grace(run: Path) -> None:
    record = start(run, DEAF)
    until(lambda: "deaf" in (run / "one.log").read_text(), "the process")
    assert processes.stop(run, ["one"], grace=0.2) == ["one"]
    assert not psutil.pid_exists(record.pid)


def test_somebody_elses_process_is_never_signalled_even_if_it_has_the_pid(run: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", WAITS]) as other:
        began = psutil.Process(other.pid).create_time()
        foreign = Record("one", other.pid, began - 3600, "1", 1)
        (run / "one.json").write_text(json.dumps(asdict(foreign)))
        assert processes.living(run, "one") is None
        assert processes.stop(run, ["one"]) == []
        assert other.poll() is None
        other.kill()


def test_a_killed_process_is_not_alive_even_before_anybody_has_noticed(run: Path) -> None:
    record = start(run)
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: processes.living(run, "one") is None, "its end")
    assert processes.recorded(run, "one") == record, "the record stays, so that its end can be told"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_record_counts_as_none(run: Path, text: str) -> None:
    (run / "one.json").write_text(text)
    assert processes.living(run, "one") is None


def test_a_process_that_ends_while_we_wait_tells_why(run: Path) -> None:
    record = start(run, "import sys; sys.exit('no space left on device')")
    with pytest.raises(Died, match="no space left on device"):
        processes.await_ready(record, lambda: False, log=run / "one.log", seconds=20)


def test_a_process_that_never_gets_ready_tells_what_it_said(run: Path) -> None:
    record = start(run, f"print('still loading', flush=True); {WAITS}")
    until(lambda: "still" in (run / "one.log").read_text(), "the process")
    with pytest.raises(NotReady, match="still loading"):
        processes.await_ready(record, lambda: False, log=run / "one.log", seconds=0.1)


def test_a_taken_port_is_told_with_its_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"kafka needs port {port}.*process {os.getpid()}.*RAPPORT_PORT_BASE"):
            processes.require_free("kafka", port)
    processes.require_free("kafka", port)


def test_a_record_counts_its_restarts() -> None:
    record = Record("one", 1, 2.0, "1", 3)
    assert replace(record, restarts=2) == Record("one", 1, 2.0, "1", 3, 2)
