"""The three servers on this machine: started, found, killed, started again, stopped."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pymongo import MongoClient

from deploy.local import processes, servers as local_servers, state
from deploy.local.errors import CannotStart, Died, NoProgram, PortTaken, Unreachable
from deploy.local.layout import Layout, free
from deploy.local.servers import VARIABLES, kafka, mongo
from tests import ladder
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    """A platform of its own, whatever servers the environment names."""
    for variable in (*VARIABLES.values(), "RAPPORT_BROKER"):
        monkeypatch.delenv(variable, raising=False)
    layout = Layout(tmp_path, free())
    layout.create()
    yield layout
    local_servers.down(layout)


def silent(_: str) -> None:
    """Nobody is listening."""


def states(layout: Layout) -> dict[str, str]:
    return {row.name: row.state for row in state.rows(layout)[:3]}


def test_three_servers_start_survive_a_second_start_and_stop(layout: Layout) -> None:
    first = local_servers.up(layout, silent)
    pids = {row.pid for row in state.rows(layout)[:3]}
    assert states(layout) == {"kafka": "ready", "mongo": "ready", "redis": "ready"}
    assert local_servers.up(layout, silent) == first
    assert {row.pid for row in state.rows(layout)[:3]} == pids, "what runs is left running"
    assert local_servers.down(layout) == ["kafka", "mongo", "redis"]
    assert local_servers.down(layout) == []
    assert not any(pid and psutil.pid_exists(pid) for pid in pids)


def test_a_killed_server_is_seen_and_comes_back_with_its_data_on_another_port(layout: Layout) -> None:
    mongo.choose(layout).up(layout)
    record = processes.living(layout.run, "mongo")
    assert record
    with MongoClient[dict[str, object]](f"mongodb://127.0.0.1:{layout.ports['mongo']}", replicaset="rs0") as client:
        client.kept.things.insert_one({"_id": 1})
    os.kill(record.pid, signal.SIGKILL)
    until(lambda: states(layout)["mongo"] == "died", "its end")
    assert "mongo" in {row.name for row in state.rows(layout) if row.why}, "the end of its log is shown"
    moved = Layout(layout.state, free())
    url = mongo.choose(moved).up(moved).url
    with MongoClient[dict[str, object]](url) as client:
        assert client.kept.things.count_documents({}) == 1


def test_a_port_that_is_taken_is_told_with_its_owner(layout: Layout) -> None:
    code = f"import socket, signal; held = socket.create_server(('127.0.0.1', {layout.ports['redis']})); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code]) as other:
        until(lambda: processes.listens(layout.ports["redis"]), "the other process")
        with pytest.raises(PortTaken, match=rf"redis needs port.*process {other.pid}"):
            local_servers.up(layout, silent)
        other.kill()


def test_a_server_that_cannot_start_says_why(layout: Layout) -> None:
    (layout.servers / "mongo/mongod.lock").mkdir(parents=True)
    with pytest.raises(Died, match="mongo stopped"):
        mongo.choose(layout).up(layout)


def test_given_servers_win_each_on_its_own(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    address = local_servers.redis.choose(layout).up(layout)
    monkeypatch.setenv("REDIS_URL", address.url)
    given = local_servers.given("redis")
    assert given
    assert (given.url, given.why) == (address.url, "given by REDIS_URL")
    assert local_servers.given("mongo") is None


@pytest.mark.parametrize(
    ("name", "url"),
    [("kafka", "127.0.0.1:1"), ("mongo", "mongodb://127.0.0.1:1/"), ("redis", "redis://127.0.0.1:1/0"), ("kafka", "?")],
)
def test_a_given_server_that_does_not_answer_is_told(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES[name], url)
    with pytest.raises(Unreachable, match=VARIABLES[name]):
        local_servers.given(name)


def test_where_neither_java_nor_a_wheel_is_there_it_says_what_to_install(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kafka, "_missing", lambda: "there is no java")
    monkeypatch.setattr(kafka, "WHEEL", "no_such_wheel")
    with pytest.raises(NoProgram, match=r"there is no java.*noida.*apt install.*KAFKA_BOOTSTRAP"):
        kafka.choose(layout, silent)


def test_without_java_the_broker_of_a_wheel_takes_the_part(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_missing", lambda: "there is no java")
    address = kafka.choose(layout, silent).up(layout)
    assert address.version.startswith("noida-db ")
    assert address.why.startswith("there is no java; good for trying out")
    monkeypatch.setenv("RAPPORT_BROKER", "apache")
    with pytest.raises(NoProgram, match="RAPPORT_BROKER=apache, but there is no java"):
        kafka.choose(layout, silent)


def test_jars_that_are_not_the_known_ones_are_refused_by_name(tmp_path: Path) -> None:
    for line in kafka.CHECKSUMS.read_text().splitlines():
        (tmp_path / line.split()[1]).touch()
    with pytest.raises(CannotStart, match=r"not the ones we know.*kafka_2\.13-4\.3\.1\.jar"):
        kafka._verify(tmp_path)


def test_what_a_killed_test_run_left_behind_is_cleared(layout: Layout, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    dead = Layout(runs / "999999-1", layout.ports)
    dead.create()
    alive = runs / f"{os.getpid()}-{int(psutil.Process().create_time())}"
    alive.mkdir()
    local_servers.redis.choose(dead).up(dead)
    assert ladder.clear_abandoned(runs) == [dead.state]
    assert not processes.listens(layout.ports["redis"])
    assert list(runs.iterdir()) == [alive]
    shutil.rmtree(runs)
