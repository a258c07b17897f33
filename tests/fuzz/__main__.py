"""The command: `python -m tests.fuzz --seed 7`. Exit code 0: every input had its fate; 1: some had another."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import time
from pathlib import Path
from typing import Any

from deploy.local import platform
from deploy.local.layout import ROOT, Layout, free, shifted
from tests.fuzz import openapi
from tests.fuzz.run import FULL, Outcome, Size, fuzz
from tests.fuzz.running import running

FOLDER = ROOT / "var" / "fuzz"
SHOWN = 20
PARTITIONS = 4


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--part", type=int, default=1, help="run a so-manieth part of the full size")
    parser.add_argument("--http-seconds", type=int, default=45, help="of schemathesis, a service; 0: without it")
    parser.add_argument("--base", type=int, help="first of a hundred ports; any free ones without it")
    return parser


def say(line: str) -> None:
    print(time.strftime("%H:%M:%S"), line, flush=True)


def main() -> int:
    given = arguments().parse_args()
    size: Size = FULL.part(given.part)
    layout = Layout(FOLDER / "platform", shifted(given.base) if given.base else free())
    say(f"seed {given.seed}: starting a platform")
    with running(layout, "", PARTITIONS) as stage:
        apis = openapi.fuzz(stage, given.http_seconds, given.seed, FOLDER, say) if given.http_seconds else []
        outcome = asyncio.run(fuzz(stage, size, given.seed, say))
    faults = outcome.faults + [fault for api in apis for fault in api.faults]
    written = _summary(given.seed, outcome, apis, faults)
    (FOLDER / "summary.json").write_text(json.dumps(written, indent=1) + "\n")
    _tell(written, FOLDER / "summary.json")
    if not faults:
        platform.down(layout, wipe=True)
    return 1 if faults else 0


def _summary(seed: int, outcome: Outcome, apis: list[openapi.Result], faults: list[str]) -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    requests = sum(api.requests for api in apis)
    return {
        "seed": seed,
        "commit": commit.stdout.strip(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "inputs_total": sum(outcome.sent.counts.values()) + requests,
        "bad_inputs": outcome.bad(),
        **outcome.figures(),
        "schemathesis": [api.figures() for api in apis],
        "faults": len(faults),
        "first_faults": faults[:200],
    }


def _tell(written: dict[str, Any], place: Path) -> None:
    for name, value in written.items():
        if isinstance(value, dict):
            print(f"{name}:")
            for inner, count in value.items():
                print(f"    {inner:<60} {count:>9,}")
        elif name not in {"first_faults", "schemathesis"}:
            print(f"{name}: {value}")
    for api in written["schemathesis"]:
        print("    " + ", ".join(f"{name} {value}" for name, value in api.items()))
    for fault in written["first_faults"][:SHOWN]:
        print("FAULT", fault)
    verdict = f"{written['faults']} faults" if written["faults"] else "every input had its fate"
    print(f"{verdict}; seed {written['seed']}, figures in {place}")


if __name__ == "__main__":
    raise SystemExit(main())
