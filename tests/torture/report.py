"""Writes the tables of docs/reliability.md from the results of published runs: `python -m tests.torture.report`."""

from __future__ import annotations

import argparse
import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from deploy.local.layout import ROOT
from tests.torture.latencies import percentile

DOCUMENT = ROOT / "docs" / "reliability.md"
PUBLISHED = ROOT / "docs" / "torture"
"""The results that the tables are made of, kept with the document."""
PROOF = "proof.json"
RUN_HAS = {"colour", "made", "spec", "load"}
PROOF_HAS = {"made", "rows"}
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


def read(path: Path) -> Result:
    """A run's result or the proof of the planted bugs. Raises SystemExit where it is neither."""
    try:
        found = json.loads(path.read_text())
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}") from None
    except ValueError:
        raise SystemExit(f"{path}: not JSON, so no result of a run") from None
    wanted = PROOF_HAS if path.name == PROOF else RUN_HAS
    if not isinstance(found, dict) or (missing := wanted - found.keys()):
        lacks = f", it lacks {', '.join(sorted(missing))}" if isinstance(found, dict) else ""
        raise SystemExit(f"{path}: no result of a run{lacks}")
    return found


def publish(path: Path, found: Result) -> None:
    """Keep a result with the document; only what may be published is."""
    if path.name != PROOF and not publishable(found):
        raise SystemExit(f"{path}: {found['colour']}, code changed: {found['made']['changed']}; not published")
    PUBLISHED.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, PUBLISHED / (PROOF if path.name == PROOF else f"seed-{found['spec']['seed']}.json"))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.report", description=__doc__)
    told = f"results to publish beside those that are; {PROOF} of the planted bugs among them"
    parser.add_argument("results", nargs="*", type=Path, help=told)
    # All are read before any is published: one bad argument changes nothing.
    for path, found in [(path, read(path)) for path in parser.parse_args(arguments).results]:
        publish(path, found)
    runs = [json.loads(path.read_text()) for path in sorted(PUBLISHED.glob("seed-*.json"))]
    proof = PUBLISHED / PROOF
    shown = json.loads(proof.read_text()) if proof.exists() else None
    DOCUMENT.write_text(inserted(DOCUMENT.read_text(), tables(runs, shown)))


if __name__ == "__main__":
    main()
