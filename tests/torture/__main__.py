"""The command: `python -m tests.torture --seed 7 --faults 20`. Exit code 0: green, 1: red, 3: void."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import sys
from pathlib import Path

import uvloop

from deploy.local.layout import ROOT
from tests.torture import proof, result
from tests.torture.console import quieten_kafka, say
from tests.torture.planted import BUGS
from tests.torture.run import run, summary
from tests.torture.spec import Spec

BASE = 26_200
MOST_RATE, MOST_CUSTOMERS, LONG_SECONDS = 400.0, 30_000, 1_800.0
FOLDER = ROOT / "var" / "torture"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    for field in dataclasses.fields(Spec):
        if field.name in {"settings", "kinds", "planted", "rate", "customers"}:
            continue
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    parser.add_argument("--rate", type=float, help="events a second; left out: 100, and up to 400 where they are many")
    parser.add_argument("--customers", type=int, help="left out: one for each six events")
    parser.add_argument("--kinds", type=lambda text: tuple(filter(None, text.split(","))), default=())
    parser.add_argument("--planted", choices=["all", *sorted(BUGS)], help="plant a bug, or all one after the other")
    parser.add_argument(
        "--only", nargs="*", choices=sorted(BUGS), help="with --planted all: these alone, without controls"
    )
    parser.add_argument("--base", type=int, default=BASE, help="first of a hundred ports")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="results, logs and data")
    return parser


def spec_of(given: argparse.Namespace) -> Spec:
    names = {field.name for field in dataclasses.fields(Spec)} - {"settings"}
    told = {name: value for name, value in vars(given).items() if name in names}
    told["rate"] = given.rate or min(MOST_RATE, max(Spec.rate, given.events / LONG_SECONDS))
    told["customers"] = given.customers or max(1, min(MOST_CUSTOMERS, given.events // 6))
    return Spec(**told)


def main() -> int:
    given = arguments().parse_args()
    quieten_kafka()
    if given.planted == "all":
        return planted(given)
    spec = spec_of(given)
    folder = (given.folder / (spec.planted or str(spec.seed))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(run(spec, folder, given.base, say))
    return told(outcome, folder)


def planted(given: argparse.Namespace) -> int:
    """0: all caught and all controls green. Publishes only what is complete."""
    folder = (given.folder / "planted").resolve()
    names = given.only or sorted(BUGS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows = runner.run(proof.prove(names, folder, given.base, say, controls=not given.only))
    for line in proof.table(rows):
        say(line)
    if not given.only:
        (folder / "proof.json").write_text(json.dumps({"made": result.made(), "rows": rows}, indent=1))
    return 0 if proof.proven(rows) else 1


def told(outcome: result.Outcome, folder: Path) -> int:
    say(f"{outcome.colour.upper()}, see {result.write(outcome, folder)}")
    for reason in [*outcome.void, outcome.late]:
        if reason:
            say(f"void: {reason}")
    if outcome.verdict:
        say(summary(outcome.verdict))
    if outcome.colour == "red" and outcome.verdict:
        for breach in list(outcome.verdict.breaches)[:20]:
            say(str(breach))
        say("The path of the first divergent event:")
        for line in outcome.path:
            say(line)
        say(f"Replay with seed {outcome.spec.seed}: {outcome.spec.replay}")
    return result.EXIT[outcome.colour]


if __name__ == "__main__":
    sys.exit(main())
