"""Kafka, MongoDB and Redis for one platform: those that are given, else those that this machine can run."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from deploy.local import processes
from deploy.local.errors import Unreachable
from deploy.local.layout import Layout
from deploy.local.servers import kafka, mongo, redis
from deploy.local.servers.server import Address, Say

NAMES = ("kafka", "mongo", "redis")
VARIABLES = {"kafka": "KAFKA_BOOTSTRAP", "mongo": "MONGO_URL", "redis": "REDIS_URL"}


@dataclass(frozen=True)
class Servers:
    """Where the three servers are."""

    kafka: Address
    mongo: Address
    redis: Address

    def environment(self) -> dict[str, str]:
        """As the services want to be told."""
        return {variable: self.named(name).url for name, variable in VARIABLES.items()}

    def named(self, name: str) -> Address:
        return {"kafka": self.kafka, "mongo": self.mongo, "redis": self.redis}[name]

    def lines(self) -> list[str]:
        """What a person wants to know about them, a line each."""
        return [
            f"{name}: {found.version} at {found.url} ({found.why})" for name in NAMES if (found := self.named(name))
        ]


def up(layout: Layout, say: Say) -> Servers:
    """Start what is not given and wait for all; all at once, since each mostly waits."""
    layout.create()
    local: dict[str, Callable[[], Address]] = {
        "kafka": lambda: kafka.choose(layout, say).up(layout),
        "mongo": lambda: mongo.choose(layout).up(layout),
        "redis": lambda: redis.choose(layout).up(layout),
    }
    with ThreadPoolExecutor(len(local)) as pool:
        found = {name: pool.submit(_given_or, name, run) for name, run in local.items()}
    return Servers(**{name: future.result() for name, future in found.items()})


def _given_or(name: str, run: Callable[[], Address]) -> Address:
    return given(name) or run()


def down(layout: Layout) -> list[str]:
    return processes.stop(layout.run, NAMES)


def given(name: str) -> Address | None:
    """The server that the environment names, which wins over all of ours; it has to answer."""
    variable = VARIABLES[name]
    url = os.environ.get(variable)
    if not url:
        return None
    version = {"kafka": _kafka_at, "mongo": mongo.version_at, "redis": redis.version_at}[name](url)
    if version is None:
        raise Unreachable(variable, url)
    return Address(url, version, f"given by {variable}")


def _kafka_at(bootstrap: str) -> str | None:
    """A broker does not tell its version."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        if port.isdigit() and kafka.answers(host or "127.0.0.1", int(port)):
            return "Kafka"
    return None
