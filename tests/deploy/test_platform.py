"""The whole platform as a newcomer uses it: up, a service killed, down, up again, wiped."""

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local import api, platform, processes, services, state
from deploy.local.errors import CannotStart, Died
from deploy.local.layout import Layout, free
from deploy.local.servers import VARIABLES, Servers
from tests.waiting import until

pytestmark = pytest.mark.journey


@pytest.fixture
def layout(
    tmp_path: Path, servers: Servers, namespace: str, topics: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Layout]:
    """A platform of its own on the servers of this run."""
    for name, variable in VARIABLES.items():
        monkeypatch.setenv(variable, servers.named(name).url)
    monkeypatch.setenv("RAPPORT_NAMESPACE", namespace)
    layout = Layout(tmp_path, free())
    yield layout
    platform.down(layout, wipe=True)


def silent(_: str) -> None:
    """Nobody is listening."""


def pids(layout: Layout) -> dict[str, int]:
    return {row.name: row.pid for row in state.rows(layout) if row.pid}


def test_it_starts_mends_itself_and_stops_without_a_trace(layout: Layout) -> None:
    running = platform.up(layout, silent)
    client = api.Api(running.base_url, running.admin_key)
    assert client.get("/readyz")["ready"]
    assert client.get("/v1/customers")["items"] == [], "the admin key is valid everywhere"
    assert stat.S_IMODE(layout.admin_key.stat().st_mode) == 0o600
    assert all(row.fine for row in state.rows(layout))

    first = pids(layout)
    assert platform.up(layout, silent) == running, "starting what runs changes nothing"
    assert pids(layout) == first

    os.kill(first["scoring"], signal.SIGKILL)
    until(lambda: pids(layout).get("scoring") not in {None, first["scoring"]}, "a new scoring")
    until(lambda: all(row.fine for row in state.rows(layout)), "a sound platform")
    assert {name for name, pid in pids(layout).items() if pid != first[name]} == {"scoring"}

    last = pids(layout)
    assert set(platform.down(layout)) == {*services.NAMES, "supervisor"}
    assert platform.down(layout) == []
    assert not any(psutil.pid_exists(pid) for pid in last.values())
    assert platform.up(layout, silent).admin_key == running.admin_key
    platform.down(layout, wipe=True)
    assert list(layout.state.iterdir()) == []


def test_a_service_that_cannot_start_is_told_with_its_own_words(layout: Layout) -> None:
    with pytest.raises(Died, match=r"(?s)stopped.*currency"):
        platform.up(layout, silent, {"RAPPORT_CURRENCY": "money"})
    assert not (layout.state / "servers/kafka").exists()


def test_two_commands_at_once_do_not_disturb_each_other(layout: Layout) -> None:
    layout.create()
    with platform._alone(layout), pytest.raises(CannotStart, match="another command"):
        platform.up(layout, silent)


def test_services_outlive_a_killed_supervisor_and_are_taken_over_by_the_next(layout: Layout) -> None:
    platform.up(layout, silent)
    before = pids(layout)
    supervisor = processes.living(layout.run, "supervisor")
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: processes.living(layout.run, "supervisor") is None, "its end")
    platform.up(layout, silent)
    assert pids(layout) == before
    assert processes.living(layout.run, "supervisor")
