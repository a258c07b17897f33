"""Writes the tables of docs/reliability.md from the results of published runs: `python -m tests.torture.report`."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy.local.layout import ROOT
from tests.torture.latencies import percentile

DOCUMENT = ROOT / "docs" / "reliability.md"
PUBLISHED = ROOT / "docs" / "torture"
"""The results that the tables are made of, kept with the document."""
BEGIN, END = "<!-- torture: written by tests.torture.report -->", "<!-- torture: end -->"
Result = dict[str, Any]


def publishable(told: Result) -> bool:
    """Green, and of code that is committed."""
    return told["colour"] == "green" and not told["made"]["changed"]


def tables(runs: Sequence[Result], proof: Result | None) -> list[str]:
    return [*tried(runs), "", *rules(runs), "", *recovered(runs), "", *planted(proof)]


def tried(runs: Sequence[Result]) -> Iterable[str]:
    yield "| run | commit | events | bad inputs | second copies | faults | lost, doubled, reordered | p50, p99 during faults | at rest after |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for run in runs:
        accepted, latency = run["load"]["accepted"], run["latency"]
        right = sum(accepted[kind] for kind in ("contact", "interaction", "sale"))
        at, rate = run["made"]["at"][:10], run["spec"]["rate"]
        wrong = sum((run["breaches"] or {}).values())
        yield (
            f"| seed {run['spec']['seed']}, {at}, {rate:g}/s | {run['made']['commit']} | {right:,} | "
            f"{accepted['poison']:,} | {run['load']['second_copies']:,} | {len(run['faults'])} | {wrong} | "
            f"{seconds(latency['p50'])}, {seconds(latency['p99'])} | {run['drain_seconds']} s |"
            if run["load"]["second_copies"] is not None
            else f"| seed {run['spec']['seed']} | void |"
        )


def rules(runs: Sequence[Result]) -> Iterable[str]:
    checks: Counter[str] = Counter()
    breaches: Counter[str] = Counter()
    for run in runs:
        checks.update(run["checks"])
        breaches.update(run["breaches"])
    yield "| what was promised | held against | broken |"
    yield "|---|---|---|"
    yield from (f"| {rule} | {count:,} | {breaches[rule]} |" for rule, count in sorted(checks.items()))


def recovered(runs: Sequence[Result]) -> Iterable[str]:
    kinds: dict[str, list[float | None]] = defaultdict(list)
    for strike in (strike for run in runs for strike in run["faults"]):
        kinds[strike["kind"]].append(strike["recovered"])
    yield "| fault | times | recovery p50, s | longest, s |"
    yield "|---|---|---|---|"
    for kind, found in sorted(kinds.items()):
        known = [value for value in found if value is not None]
        half, most = percentile(known, 0.5), max(known, default=None)
        yield f"| {kind} | {len(found)} | {told(half)} | {told(most)} |"


def planted(proof: Result | None) -> Iterable[str]:
    if proof is None:
        return
    rows = [row for row in proof["rows"] if row["caught"] != "control"]
    controls = [row for row in proof["rows"] if row["caught"] == "control"]
    caught = sum(row["caught"] == "caught" for row in rows)
    green = sum(not row["rules"] for row in controls)
    yield (
        f"Planted bugs caught: {caught} of {len(rows)}; the same runs without a bug: {green} of {len(controls)} "
        f"without a breach ({proof['made']['at'][:10]}, commit {proof['made']['commit']})."
    )
    yield ""
    yield "| planted | the mistake | runs until caught | found first by |"
    yield "|---|---|---|---|"
    for row in rows:
        found = next(iter(row["rules"]), "nothing")
        yield f"| {row['name']} | {row['mistake']} | {row['runs']} | {found} |"


def seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f} s"


def told(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f}"


def inserted(text: str, lines: Iterable[str]) -> str:
    """The document with these lines between its markers, which come at its end if it has none."""
    block = "\n".join([BEGIN, *lines, END])
    if BEGIN not in text:
        return f"{text}\n{block}\n"
    before, _, rest = text.partition(BEGIN)
    return before + block + rest.partition(END)[2]


def publish(path: Path) -> None:
    """Keep a run's result with the document; only what may be published is."""
    found = json.loads(path.read_text())
    if not publishable(found):
        raise SystemExit(f"{path}: {found['colour']}, code changed: {found['made']['changed']}; not published")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, PUBLISHED / f"seed-{found['spec']['seed']}.json")


def main() -> None:
    """Arguments: results to publish beside those that are; `proof.json` of the planted bugs among them."""
    for path in map(Path, sys.argv[1:]):
        if path.name == "proof.json":
            PUBLISHED.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, PUBLISHED / "proof.json")
        else:
            publish(path)
    runs = [json.loads(path.read_text()) for path in sorted(PUBLISHED.glob("seed-*.json"))]
    proof = PUBLISHED / "proof.json"
    found = json.loads(proof.read_text()) if proof.exists() else None
    DOCUMENT.write_text(inserted(DOCUMENT.read_text(), tables(runs, found)))


if __name__ == "__main__":
    main()
