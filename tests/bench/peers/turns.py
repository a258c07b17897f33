"""The rounds: everybody in turn, each time in a new process with a new group, and every result held against the truth."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.bench.peers.field import Variant
from tests.bench.peers.work import Check, Job, expected
from tests.bench.section import ROOT

FIGURES = ("cpu_per_million", "database_cpu_per_million", "per_second")
LEAST_EVENTS = 300


class Failed(Exception):
    """A variant did not run, was too late, or got it wrong."""


@dataclass(frozen=True)
class Ground:
    """Where everybody plays."""

    python: Path
    bootstrap: str
    mongo_url: str
    token: str
    """In the name of everything that is made, so that it can be found and deleted."""
    place: Path
    timeout: float


@dataclass
class Outcome:
    """What a variant's rounds gave."""

    events: int
    runs: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""

    def median(self, figure: str) -> float | None:
        values = [run[figure] for run in self.runs if run[figure] is not None]
        return statistics.median(values) if values else None


def events_of(variant: Variant, events: int) -> int:
    return max(LEAST_EVENTS, int(events * variant.share))


def namespace(token: str, events: int) -> str:
    """Each number of events has topics of its own, so that whoever reads fewer of them reads all of its log."""
    return f"{token}-{events}-"


def play(
    ground: Ground, variants: Sequence[Variant], events: int, rounds: int, say: Callable[[str], None]
) -> dict[str, Outcome]:
    """Who fails once is out, with the reason."""
    outcomes = {variant.name: Outcome(events_of(variant, events)) for variant in variants}
    for number in range(rounds):
        for variant in variants:
            outcome = outcomes[variant.name]
            if outcome.error:
                continue
            try:
                outcome.runs.append(once(ground, variant, outcome.events, number))
            except Failed as failed:
                outcome.error = str(failed)
            say(_line(number, variant, outcome))
    return outcomes


def _line(number: int, variant: Variant, outcome: Outcome) -> str:
    said = outcome.error or f"{outcome.runs[-1]['cpu_per_million']:.1f} CPU s/M"
    return f"round {number + 1}  {variant.name:24} {said}"


def once(ground: Ground, variant: Variant, events: int, number: int) -> dict[str, Any]:
    prefix = namespace(ground.token, events)
    with tempfile.TemporaryDirectory(dir=ground.place) as place:
        job = Job(variant.name, ground.bootstrap, ground.mongo_url, prefix, f"{prefix}{variant.name}-{number}", events,
                  database_process(ground.mongo_url) if variant.state == "MongoDB" else None, place)  # fmt: skip
        answer = _answer(ground, job)
    found = in_database(job) if variant.state == "MongoDB" else answer["check"]
    _compare(found, answer["seen"], events)
    return answer


def _answer(ground: Ground, job: Job) -> dict[str, Any]:
    command = [str(ground.python), "-W", "ignore", "-m", "tests.bench.peers.one", json.dumps(asdict(job))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=ground.timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not done within {ground.timeout:.0f} s") from None
    if ran.returncode:
        raise Failed((ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1][:300])
    answer: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    if "error" in answer:
        raise Failed(answer["error"][:300])
    return answer


def _compare(found: dict[str, Any] | None, seen: int, events: int) -> None:
    truth = expected(events)
    if found is None:
        if seen != events:
            raise Failed(f"wrong result: {seen} records instead of {events}")
    elif Check(**found) != truth:
        raise Failed(f"wrong result: {Check(**found)} instead of {truth}")


def in_database(job: Job) -> dict[str, Any]:
    """The totals as they stand in MongoDB, whether money was kept as a number or, in a sink, as text."""
    amount = {"$toDecimal": "$total"}
    pipeline: list[dict[str, Any]] = [
        {"$group": {"_id": None, "customers": {"$sum": 1}, "events": {"$sum": "$count"}, "money": {"$sum": amount}}}
    ]
    with MongoClient[dict[str, Any]](job.mongo_url) as client:
        found = next(iter(client[job.database]["totals"].aggregate(pipeline)), None)
        client.drop_database(job.database)
    if found is None:
        raise Failed("wrong result: nothing in the database")
    return {"customers": found["customers"], "events": found["events"], "money": str(found["money"])}


def database_process(mongo_url: str) -> int | None:
    """The pid of a mongod on this machine."""
    with MongoClient[dict[str, Any]](mongo_url) as client:
        pid = int(client.admin.command("serverStatus")["pid"])
    try:
        return pid if Path(f"/proc/{pid}/comm").read_text().startswith("mongod") else None
    except FileNotFoundError:
        return None
