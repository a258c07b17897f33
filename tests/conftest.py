"""What all tests share: real servers, a namespace of their own, and the rule that unit tests talk to no server."""

from __future__ import annotations

import functools
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import astuple
from typing import Any

import hypothesis
import psutil
import pytest
from pymongo import MongoClient

from deploy.local import topics as local_topics
from deploy.local.errors import CannotStart
from deploy.local.servers import NAMES, Servers
from deploy.local.servers.server import Address
from shared.settings import PlatformSettings
from tests import ladder

PARTITIONS = 4
SERVERS = pytest.StashKey[Servers]()
WORKERS_SERVERS = "servers"
STARTED = pytest.StashKey[ExitStack]()
REAL = ("integration", "journey")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the servers before the first test, so that the run begins with what it runs against."""
    config = session.config
    if worker := getattr(config, "workerinput", None):
        if told := worker[WORKERS_SERVERS]:
            config.stash[SERVERS] = Servers(**{name: Address(*address) for name, address in told.items()})
        return
    wanted = any("servers" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not config.option.collectonly:
        _start_servers(config)


def pytest_configure_node(node: Any) -> None:
    """Where several processes share a run, its first process starts the servers and tells the others where they are."""
    config: pytest.Config = node.config
    if SERVERS not in config.stash and "not integration" not in config.option.markexpr:
        _start_servers(config)
    found = config.stash.get(SERVERS, None)
    node.workerinput[WORKERS_SERVERS] = found and {name: astuple(found.named(name)) for name in NAMES}


def _start_servers(config: pytest.Config) -> None:
    reporter: Any = config.pluginmanager.getplugin("terminalreporter")
    stack = config.stash[STARTED] = ExitStack()
    try:
        config.stash[SERVERS] = stack.enter_context(ladder.running(reporter.write_line))
    except CannotStart as error:
        pytest.exit(f"The tests need real servers: {error}", returncode=3)


def pytest_unconfigure(config: pytest.Config) -> None:
    if stack := config.stash.get(STARTED, None):
        stack.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "servers" in getattr(item, "fixturenames", ()) and not _is_real(item):
            item.add_marker("integration")


def _is_real(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in REAL)


@pytest.fixture(autouse=True)
def _no_server_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test may talk to a server of its own making in this process, and to nobody else."""
    if not _is_real(request.node):
        monkeypatch.setattr(socket.socket, "connect", _connect_to_ourselves)


def _connect_to_ourselves(self: socket.socket, address: Any, _connect: Any = socket.socket.connect) -> None:
    if self.family != socket.AF_UNIX:
        allowed = address[0] in LOOPBACK and address[1] not in _others_ports()
        assert allowed, f"a unit test wants to connect to {address}"
    _connect(self, address)


@functools.cache
def _others_ports() -> frozenset[int]:
    """Where other processes listened when the run began."""
    found = psutil.net_connections("tcp")
    listening = (entry for entry in found if entry.status == psutil.CONN_LISTEN and entry.pid != os.getpid())
    return frozenset(entry.laddr.port for entry in listening if entry.laddr)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Servers:
    return pytestconfig.stash[SERVERS]


@pytest.fixture
def namespace() -> str:
    return f"test-{secrets.token_hex(4)}-"


@pytest.fixture
def settings(servers: Servers, namespace: str) -> Iterator[PlatformSettings]:
    """What every service reads, for a namespace that nobody else uses; its databases are dropped afterwards."""
    yield PlatformSettings(
        kafka_bootstrap=servers.kafka.url,
        mongo_url=servers.mongo.url,
        redis_url=servers.redis.url,
        namespace=namespace,
        partitions=PARTITIONS,
    )
    with MongoClient[dict[str, object]](servers.mongo.url) as client:
        for name in client.list_database_names():
            if name.startswith(namespace):
                client.drop_database(name)


@pytest.fixture
async def topics(servers: Servers, namespace: str) -> AsyncIterator[dict[str, int]]:
    """All topics of the namespace, by full name with their partitions."""
    yield await local_topics.create(servers.kafka.url, namespace, PARTITIONS)
    await local_topics.delete(servers.kafka.url, namespace)
