"""What a run has shown: green, red or void, with all figures, as JSON that can be read again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from deploy.local.layout import ROOT
from tests.torture.judge.decided import Decided
from tests.torture.latencies import percentile
from tests.torture.ledger import Ledger
from tests.torture.settling import Backlog
from tests.torture.spec import Spec
from tests.torture.strikes import Strike
from tests.torture.verdict import Verdict

Colour = Literal["green", "red", "void"]
EXIT: dict[Colour, int] = {"green": 0, "red": 1, "void": 3}
SHOWN = 50


@dataclass
class Outcome:
    """Everything that a run has left behind in memory."""

    spec: Spec
    ledger: Ledger
    strikes: list[Strike] = field(default_factory=list)
    moods: int = 0
    void: list[str] = field(default_factory=list)
    """Why nothing can be concluded from the run."""
    late: str = ""
    """Why the load was not the load that was meant. What was accepted must have its effect all the same."""
    verdict: Verdict | None = None
    backlog: Backlog | None = None
    drain_seconds: float = 0.0
    path: list[str] = field(default_factory=list)
    sent_again: int = 0
    receivers: dict[str, Any] = field(default_factory=dict)
    lifeless: dict[str, int] = field(default_factory=dict)
    """Processes that were ended because they said that they were not alive."""
    deaf: list[str] = field(default_factory=list)
    """Processes that did not end when they were asked to."""

    @property
    def colour(self) -> Colour:
        """Without sound evidence there is no verdict. With it, a wrong effect is wrong at whatever rate it was asked for."""
        if self.void or self.verdict is None:
            return "void"
        if self.verdict.breaches:
            return "red"
        return "void" if self.late else "green"


def as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "colour": outcome.colour,
        "spec": outcome.spec.as_json(),
        "replay": outcome.spec.replay,
        "made": made(),
        "void": [*outcome.void, *([outcome.late] if outcome.late else [])],
        "load": load(outcome),
        "persons": persons(outcome.ledger.decided),
        "faults": [strike.as_json() for strike in outcome.strikes],
        "recovery": recovery(outcome.strikes),
        "misbehaviours": outcome.moods,
        "drain_seconds": round(outcome.drain_seconds, 1),
        "harness_cpu_seconds": round(time.process_time(), 1),
        **judged(outcome),
        "path": outcome.path,
    }


def load(outcome: Outcome) -> dict[str, Any]:
    books, inbound = outcome.ledger.books, outcome.verdict.inbound if outcome.verdict else None
    return {
        "sendings": outcome.ledger.left,
        "accepted": {kind: books.count(kind) for kind in ("contact", "interaction", "sale", "poison")},
        "customers": len(books.accounts),
        "sent_again": outcome.sent_again,
        "second_copies": inbound.copies.total() if inbound else None,
    }


def persons(decided: Decided) -> dict[str, int]:
    """What was decided about them meanwhile."""
    return {
        "merges": len(decided.merges),
        "undone": len(decided.undone),
        "erased": len(decided.erased),
        "asked_again": decided.asked_again,
    }


def judged(outcome: Outcome) -> dict[str, Any]:
    verdict = outcome.verdict
    if verdict is None:
        return {"breaches": None}
    waits = verdict.latencies
    return {
        "breaches": dict(verdict.breaches.counts),
        "examples": [str(breach) for breach in list(verdict.breaches)[:SHOWN]],
        "checks": dict(verdict.breaches.checks),
        "versions": verdict.versions,
        "republished": verdict.republished,
        "deliveries": verdict.deliveries,
        "delivered_again": verdict.delivered_again,
        "latency": {
            "count": len(waits),
            "p50": rounded(percentile(waits, 0.5)),
            "p99": rounded(percentile(waits, 0.99)),
            "max": rounded(max(waits, default=None)),
        },
        "receivers": outcome.receivers,
        "lifeless": outcome.lifeless,
        "deaf": outcome.deaf,
    }


def recovery(strikes: list[Strike]) -> dict[str, dict[str, Any]]:
    """By kind: how many, and the seconds until what was struck worked again."""
    by_kind: dict[str, list[Strike]] = defaultdict(list)
    for strike in strikes:
        by_kind[strike.kind].append(strike)
    return {kind: _recovery(some) for kind, some in sorted(by_kind.items())}


def _recovery(strikes: list[Strike]) -> dict[str, Any]:
    seconds = [strike.recovered for strike in strikes if strike.recovered is not None]
    return {
        "faults": len(strikes),
        "measured": len(seconds),
        "p50": rounded(percentile(seconds, 0.5)),
        "max": rounded(max(seconds, default=None)),
    }


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def made() -> dict[str, Any]:
    """Where and of what."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no", "shared", "services", "deploy")),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def write(outcome: Outcome, folder: Path) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(as_json(outcome), indent=1, default=str))
    return path
