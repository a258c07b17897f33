"""`python -m tests.bench`, which is `make bench`: all sections one after the other, then the table in docs/benchmarks.md.

Exit code 0: all figures may be published; 1: a section has failed; 3: a section is void (its generator fell behind).
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any

from tests.bench import circumstances, report
from tests.bench.section import RESULTS, Section, Size, Stage

SECTIONS = ("endtoend", "floor", "latency", "bareline", "frontdoor", "webhooks", "peers", "growth", "isolation", "reads", "search", "scores",
            "duplicates", "files")  # fmt: skip
SUMMARY = RESULTS / "summary.json"
FAILED, VOID = 1, 3
PATIENCE: dict[Size, float] = {"smoke": 300.0, "quick": 900.0, "normal": 2400.0, "full": 10_800.0}
"""Seconds for one section, whatever it waits for."""
SERVERS = ("KAFKA_BOOTSTRAP", "MONGO_URL", "REDIS_URL")
"""Servers of one's own would be filled with load, and their data is not ours to delete."""


def sections(only: str) -> list[str]:
    wanted = [name for name in only.split(",") if name] or list(SECTIONS)
    if unknown := sorted(set(wanted) - set(SECTIONS)):
        raise SystemExit(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return wanted


def play(name: str, size: Size, port_base: int) -> dict[str, Any]:
    """One section: its result with its occasion, or how it failed."""
    occasion, began = circumstances.occasion(), time.monotonic()
    print(f"\n{name} (load average {occasion['load_before']})", flush=True)
    place = RESULTS / name
    place.mkdir(parents=True, exist_ok=True)
    try:
        found = asyncio.run(limited(name, Stage(place, port_base, size)))
    except Exception as error:  # noqa: BLE001 - the other sections are still worth running
        traceback.print_exc()
        found = Section(name, name.capitalize(), [], (), f"it failed: {type(error).__name__}: {error}"[:500])
        occasion["failed"] = True
    found.save()
    return {**found.document(), "occasion": {**occasion, "size": size, "seconds": round(time.monotonic() - began, 1)}}


async def limited(name: str, stage: Stage) -> Section:
    module = importlib.import_module(f"tests.bench.{name}")
    async with asyncio.timeout(PATIENCE[stage.size]):
        section: Section = await module.run(stage)
        return section


def keep(played: dict[str, dict[str, Any]], size: Size) -> None:
    """After each section, so that a run that is broken off has not been for nothing. Small sizes are not published."""
    if size in {"smoke", "quick"}:
        return
    summary = {
        "machine": circumstances.machine(),
        "versions": circumstances.versions(),
        "durability": circumstances.DURABILITY,
        "sections": played,
    }
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(json.dumps(summary, indent=1, default=str) + "\n")
    report.publish(summary, SECTIONS)


def show(section: dict[str, Any]) -> None:
    print("\n".join(report.of_section(section)))


def code(played: dict[str, dict[str, Any]]) -> int:
    if any(section["occasion"].get("failed") for section in played.values()):
        return FAILED
    return VOID if any(section["void"] for section in played.values()) else 0


def asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"of {','.join(SECTIONS)}")
    parser.add_argument("--port-base", type=int, default=25_000, help="ports from here to 100 above are used")
    size = parser.add_mutually_exclusive_group()
    for name, told in (
        ("smoke", "seconds each: does it run at all"),
        ("quick", "a first look; nothing is published"),
        ("full", "longer runs and larger bases"),
    ):
        size.add_argument(f"--{name}", dest="size", action="store_const", const=name, default="normal", help=told)
    return parser.parse_args(arguments)


def main() -> None:
    given = asked()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is stopped
    for variable in SERVERS:
        os.environ.pop(variable, None)
    played: dict[str, dict[str, Any]] = {}
    for name in sections(given.only):
        played[name] = play(name, given.size, given.port_base)
        show(played[name])
        keep(played, given.size)
    sys.exit(code(played))


if __name__ == "__main__":
    main()
