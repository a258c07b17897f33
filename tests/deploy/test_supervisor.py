"""What ends unasked starts again, later each time; what is asked to end stays down."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import processes
from deploy.local.layout import Layout, free
from deploy.local.processes import Record
from deploy.local.services import Service
from deploy.local.supervisor import SOUND_SECONDS, Watched, pause
from tests.waiting import until


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    layout = Layout(tmp_path, free())
    layout.create()
    yield layout
    processes.stop(layout.run, ["toy"], grace=1)


def watched(layout: Layout, code: str) -> Watched:
    return Watched(Service("toy", (sys.executable, "-c", code), 1), layout)


def test_a_killed_process_starts_again_after_a_pause_and_counts_it(layout: Layout) -> None:
    one = watched(layout, "import signal; signal.pause()")
    one.look(time.time())
    first = one.record
    assert first
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: first.process() is None, "its end")
    now = time.time()
    runs = [bool(after(one, now + seconds)) for seconds in (0, 0.4)]
    assert runs == [False, False], "its pause is not over"
    second = after(one, now + 0.6)
    assert second
    assert second.pid != first.pid
    assert second.restarts == 1


def after(one: Watched, now: float) -> Record | None:
    one.look(now)
    return one.record


def test_what_runs_already_is_taken_over_not_started_twice(layout: Layout) -> None:
    one, another = (watched(layout, "import signal; signal.pause()") for _ in range(2))
    one.look(time.time())
    another.look(time.time())
    assert one.record == another.record


def test_pauses_grow_to_a_limit() -> None:
    assert [pause(ends) for ends in (1, 2, 3, 7, 100)] == [0.5, 1, 2, 30, 30]


def test_a_process_that_has_lived_long_is_forgiven_its_earlier_ends(layout: Layout) -> None:
    one = watched(layout, "import signal; signal.pause()")
    one.ends = 5
    one.look(time.time())
    one.look(time.time())
    assert one.ends == 5
    one.look(time.time() + SOUND_SECONDS + 1)
    assert one.ends == 0
