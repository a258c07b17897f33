"""The test of the test: every planted bug must turn a short run red, and the same run without it must be green."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

from tests.torture import result
from tests.torture.planted import BUGS, Bug
from tests.torture.result import Outcome
from tests.torture.run import run
from tests.torture.spec import Spec

SHORT = Spec(
    events=2_400,
    rate=80.0,
    customers=800,
    skew=0.0,
    faults=0,
    misbehaviour=0,
    instances=1,
    warm_up=4.0,
    patience=25.0,
    decided=0.015,
    settle=8.0,
)
ATTEMPTS = 3
"""Faults meet a bug by chance: so many seeds may be tried until they do."""
Say = Callable[[str], None]
Caught = Literal["caught", "missed", "not met", "crashed", "control"]
CRASH = re.compile(r"\b(consuming|publishing|recording|delivering|uniting)\.\w+:\d+\"")
"""The last place that a log line names: the planted code itself has failed, which proves nothing."""


def short(bug: Bug, seed: int) -> Spec:
    return dataclasses.replace(SHORT, **bug.run, seed=seed, planted=bug.name)


async def prove(
    names: Iterable[str], folder: Path, base: int, say: Say, *, controls: bool = True
) -> list[dict[str, Any]]:
    """A row for each bug, and before them one for each kind of run without a bug."""
    bugs = [BUGS[name] for name in names]
    rows = [await control(profile, folder, base, say) for profile in profiles(bugs)] if controls else []
    rows += [await attempt(bug, folder, base, say) for bug in bugs]
    return rows


def profiles(bugs: Iterable[Bug]) -> list[dict[str, Any]]:
    """The different ways in which the bugs' runs differ from the short one."""
    distinct = {json.dumps(dict(bug.run), sort_keys=True): dict(bug.run) for bug in bugs}
    return list(distinct.values())


async def control(profile: dict[str, Any], folder: Path, base: int, say: Say) -> dict[str, Any]:
    spec = dataclasses.replace(SHORT, **profile, seed=1)
    name = "no bug: " + (", ".join(f"{key} {value}" for key, value in profile.items()) or "calm")
    outcome = await one(spec, folder / "control", base, say)
    return row(name, "control", outcome, 1)


async def attempt(bug: Bug, folder: Path, base: int, say: Say) -> dict[str, Any]:
    """Other seeds are tried only where the bug's code never ran, or ran and did no harm."""
    for number in range(1, ATTEMPTS + 1):
        place = folder / bug.name
        outcome = await one(short(bug, number), place, base, say)
        met = (place / bug.name).exists()
        if outcome.colour == "red":
            break
    caught: Caught = "caught" if outcome.colour == "red" else "missed" if met else "not met"
    if await asyncio.to_thread(crashed, place / "stage" / "log"):
        caught = "crashed"
    return row(bug.name, caught, outcome, number) | {"mistake": bug.mistake}


def crashed(logs: Path) -> bool:
    return any(CRASH.search(path.read_text(errors="replace")) for path in logs.glob("*.log"))


async def one(spec: Spec, folder: Path, base: int, say: Say) -> Outcome:
    await asyncio.to_thread(_clear, folder, spec)
    say(f"--- {spec.planted or 'no bug'}, seed {spec.seed}")
    outcome = await run(spec, folder, base, say)
    result.write(outcome, folder)
    say(f"--- {spec.planted or 'no bug'}: {outcome.colour}")
    return outcome


def _clear(folder: Path, spec: Spec) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if spec.planted:
        (folder / spec.planted).unlink(missing_ok=True)


def row(name: str, caught: Caught, outcome: Outcome, runs: int) -> dict[str, Any]:
    breaches = outcome.verdict.breaches.counts if outcome.verdict else {}
    return {
        "name": name,
        "caught": caught,
        "colour": outcome.colour,
        "runs": runs,
        "rules": dict(sorted(breaches.items(), key=lambda pair: -pair[1])),
        "void": outcome.void,
    }


def proven(rows: Iterable[dict[str, Any]]) -> bool:
    """All bugs caught, and no rule that is broken without one."""
    return all(one["caught"] == "caught" or (one["caught"] == "control" and not one["rules"]) for one in rows)


def table(rows: Iterable[dict[str, Any]]) -> list[str]:
    lines = [f"{'planted':<30} {'result':<8} runs  found by"]
    for one in rows:
        rules = "; ".join(f"{rule} ({count:,})" for rule, count in list(one["rules"].items())[:3])
        told = one["colour"] if one["caught"] == "control" else one["caught"]
        lines.append(f"{one['name'][:30]:<30} {told:<8} {one['runs']:>4}  {rules}")
    return lines
