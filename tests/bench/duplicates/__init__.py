"""Duplicates: found side by side with Splink and recordlinkage, and one record looked up among a million."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.duplicates.sets import HOUSEHOLDS, NAMES
from tests.bench.peers import environment
from tests.bench.section import ROOT, Row, Section, Stage

COMPETITORS = ("rapport", "splink", "recordlinkage")
SECONDS = 900.0
FIGURES = ("precision", "recall", "F1", "s", "CPU s", "peak MB")
NOTES = """
Each competitor in a process of its own, in turn; quality is of the pairs that clusters imply, the same every round; seconds
are medians of {rounds} rounds, from columns of text to clusters. rapport finds out by itself what the columns are and merges
at 0.95; the others are told, get the blocks that our reference measurement had, and of four thresholds the one that the truth
says is best.

households: {households:,} made-up families with twins, namesakes, moves and gaps (tests/contacts/matching/people.py), so that
some duplicates cannot be told by anybody. The rules were made with all these sets at hand.

Lookup: a record against {records:,} others in memory, in one process; and in the database, as contacts asks for
each that arrives: keys, records, weights, explanations.
"""


class Failed(Exception):
    """A competitor did not run, or was too late."""


async def run(stage: Stage) -> Section:
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=5)
    names = stage.pick(smoke=("splink_fake",), quick=("febrl4", "splink_fake"), normal=NAMES, full=NAMES)
    records = stage.pick(smoke=10_000, quick=100_000, normal=1_000_000, full=1_000_000)
    python = environment.python(stage.say, stage.place.parent / "duplicates-venv", ROOT / "requirements/duplicates.txt")
    rows: list[Row] = []
    runs: dict[str, Any] = {}
    for name in names:
        for competitor in COMPETITORS:
            stage.say(f"{name}: {competitor}")
            found, why = several(python, competitor, name, rounds)
            runs[f"{name}, {competitor}"] = found
            rows.append({"set": name, "by": competitor, **({"failed": why} if why else table_row(found))})
    stage.say(f"a lookup among {records:,}")
    lookup = called([sys.executable, "-m", "tests.bench.duplicates.lookup", str(records)])
    rows.append(
        {
            "set": f"lookup among {int(lookup['records']):,}",
            "by": "rapport",
            **{k: round(v, 2) for k, v in lookup.items() if k != "records"},
        }
    )
    kept = called([sys.executable, "-m", "tests.bench.duplicates.kept", str(records)])
    rows.append(
        {
            "set": f"lookup among {int(kept['records']):,} in the database",
            "by": "rapport",
            **{k: round(v, 2) for k, v in kept.items() if k != "records"},
        }
    )
    told = NOTES.format(rounds=rounds, households=HOUSEHOLDS, records=records)
    notes = [" ".join(note.split()) for note in told.split("\n\n")]
    return Section(
        "duplicates", "Duplicates among customers", rows, notes, details={"runs": runs, "lookup": lookup, "kept": kept}
    )


def several(python: Path, competitor: str, name: str, rounds: int) -> tuple[list[dict[str, Any]], str]:
    """The figures of the rounds, or why there are none."""
    found = []
    for _ in range(rounds):
        try:
            found.append(called([str(python), "-m", "tests.bench.duplicates.one", competitor, name]))
        except Failed as failed:
            return [], str(failed)
    return found, ""


def called(command: Sequence[str]) -> dict[str, Any]:
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Failed(f"not done within {SECONDS:.0f} s") from None
    if ran.returncode:
        raise Failed((ran.stderr.strip().splitlines() or ["no reason given"])[-1][:300])
    figures: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return figures


def table_row(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    digits = {"precision": 4, "recall": 4, "F1": 4, "s": 2, "CPU s": 2, "peak MB": 0}
    row = {figure: round(statistics.median(run[figure] for run in found), digits[figure]) for figure in FIGURES}
    return {**row, "threshold": found[0]["threshold"]}
