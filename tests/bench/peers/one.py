"""One variant, once, in a process of its own: `python -m tests.bench.peers.one JOB`, with the job and the answer as JSON."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import json
import platform
import sys
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tests.bench.peers.field import BY_NAME
from tests.bench.peers.work import Check, Job, Meter

LIMITS = (50_000, 20, 20)
"""As `shared.plumbing` sets them for our services."""


def main() -> None:
    job = Job(**json.loads(sys.argv[1]))
    try:
        answer = _measured(job)
    except Exception as error:  # noqa: BLE001 - whatever a peer fails with is its result
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))


def _measured(job: Job) -> dict[str, Any]:
    variant = BY_NAME[job.variant]
    module, _, function = variant.does.partition(":")
    does = getattr(importlib.import_module(f"tests.bench.peers.variants.{module}"), function)
    meter = Meter(job)
    if variant.tuned:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*LIMITS)
    check: Check | None = _run(does, job, meter)
    return {
        **meter.result(),
        "seen": meter.seen,
        "check": None if check is None else asdict(check),
        "versions": {name: _version(name) for name in variant.packages},
        "everybody": {"Python": platform.python_version(), "pydantic": _version("pydantic")},
    }


def _run(does: Any, job: Job, meter: Meter) -> Any:
    return asyncio.run(does(job, meter)) if inspect.iscoroutinefunction(does) else does(job, meter)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "this commit"


if __name__ == "__main__":
    main()
