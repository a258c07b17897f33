"""Under which circumstances figures were measured: machine, versions, durability, commit, and how quiet it was."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from tests.bench.section import ROOT

LIBRARIES = (
    "aiokafka",
    "pymongo",
    "redis",
    "pydantic",
    "orjson",
    "aiohttp",
    "fastapi",
    "faststream",
    "uvloop",
    "uvicorn",
)
DURABILITY = (
    "Kafka: one broker, acks=all, idempotent producers, written to the page cache as Kafka does by default. "
    "MongoDB: a replica set of one, every write in a majority transaction, which waits for the journal. "
    "Redis: append-only file, synced every second; it holds nothing that cannot be worked out again."
)
QUIET = 0.5
"""Load average, per core, below which a machine counts as idle."""


def machine() -> dict[str, str]:
    memory = psutil.virtual_memory().total / 2**30
    return {
        "processor": f"{processor()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    # Distributions build theirs with the compiler's profile of a run, version managers as a rule without.
    built = "the system's" if sys.base_prefix == "/usr" else "not the system's"
    return {"Python": f"{platform.python_version()} ({built})"} | {name: metadata.version(name) for name in LIBRARIES}


def occasion() -> dict[str, Any]:
    """What differs from section to section: when, which commit, how busy the machine was before."""
    load = os.getloadavg()[0]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": commit(),
        "load_before": round(load, 2),
        "quiet": load < QUIET * (os.cpu_count() or 1),
    }


def commit() -> str:
    """With a plus where files differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "shared", "services", "tests", "deploy")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")
