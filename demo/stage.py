"""Where the demo plays: a platform of its own beside any other on this machine, gone after a good run unless kept."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from redis import Redis

from deploy.local import platform, servers, topics
from deploy.local.layout import ROOT, Layout, free

FOLDER = ROOT / "var" / "demo"
Say = Callable[[str], None]
SETTINGS = {"RAPPORT_CLOCK": "stream", "RAPPORT_ERASURE_SETTLE_SECONDS": "3"}
"""Now is what is played; and nobody waits five minutes to see that the second look at an erasure finds nothing."""


@dataclass(slots=True)
class Stage:
    """A platform with no customers yet."""

    base_url: str
    admin_key: str
    bootstrap: str
    namespace: str
    broker: str
    engines: tuple[str, ...]
    """Broker, database and cache with their versions, a line each."""
    state: Path
    good: bool = False
    """Said at the end: all went well, so nobody will want to look at logs and data."""


@contextmanager
def stage(say: Say, folder: Path = FOLDER, *, keep: bool = False) -> Iterator[Stage]:
    """Servers that are given are used under a namespace of our own; the others are started, and stopped at the end."""
    layout = Layout(folder / "platform", free())
    platform.down(layout, wipe=True)
    namespace = f"demo-{secrets.token_hex(4)}-"
    kept = False
    try:
        running = platform.up(layout, say, {"RAPPORT_NAMESPACE": namespace, **SETTINGS})
        found = Stage(
            running.base_url,
            running.admin_key,
            running.servers.kafka.url,
            namespace,
            running.servers.kafka.version,
            tuple(running.servers.lines()),
            layout.state,
        )
        yield found
        kept = keep
        if found.good and not kept:
            platform.down(layout, wipe=True)
    finally:
        if not kept:
            platform.down(layout)
            clear_given(namespace)


def clear_given(namespace: str) -> None:
    """Leave nothing of ours on servers that are not ours."""
    if kafka := servers.given("kafka"):
        asyncio.run(topics.delete(kafka.url, namespace))
    if mongo := servers.given("mongo"):
        with MongoClient[dict[str, Any]](mongo.url) as client:
            for name in client.list_database_names():
                if name.startswith(namespace):
                    client.drop_database(name)
    if redis := servers.given("redis"):
        with Redis.from_url(redis.url) as cache:
            for key in cache.scan_iter(f"{namespace}*"):
                cache.delete(key)
