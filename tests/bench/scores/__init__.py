"""Scores: fitting and scoring a base side by side with the libraries that others use, and what an order costs."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.peers import environment
from tests.bench.scores.base import simulated
from tests.bench.section import ROOT, Row, Section, Stage

NAMES = ("rapport", "lifetimes", "pymc-marketing")
WORK = (
    *("fit", "fit again", "score", "rank and plan", "score with a rhythm", "plan with a rhythm"),
    *("score with a season and paces, too", "plan with a season and paces, too"),
)
SECONDS = 900.0
"""Whoever takes longer is out."""
SAME = 0.15
"""Expected purchases of the base may differ by so much between models that are not quite the same."""
NOTES = """
{customers:,} simulated customers of five years, the same for all, each competitor in a process of its own, in turn; medians of
{rounds} rounds, seconds by the wall. Fit: from all customers, with nothing known before. lifetimes and pymc-marketing fit BG/NBD
to the rows, the latter the maximum of the posterior; rapport fits MBG/NBD and Gamma-Gamma to its histogram ({cells:,} cells),
whose upkeep is part of an order's cost. Score: purchases expected within 90 days and P(alive) of everybody; rapport also
P(no purchase), spend, value and segment.

Rank and plan: fifths, class and the day on which each score is worth another look, which the others do not have. With a
rhythm: the same customers scored by MBG/CNBD-3 with parameters met for the first time, which the others do not have either;
and then with a season of the year and customers' own paces, by which each has a horizon of their own.
"""


class Failed(Exception):
    """A competitor did not run, was too late, or got something else."""


async def run(stage: Stage) -> Section:
    # Here and not above: competitors import this package where the platform's dependencies are not.
    from tests.bench.scores.events import measured

    customers = stage.pick(smoke=3_000, quick=50_000, normal=1_000_000, full=1_000_000)
    rounds = stage.pick(smoke=1, quick=1, normal=3, full=3)
    python = environment.python(stage.say, stage.place.parent / "scores-venv", ROOT / "requirements/scores.txt")
    place = stage.place / "base.npz"
    simulated(customers, seed=3).save(place)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    errors: dict[str, str] = {}
    for _ in range(rounds):
        for name in (one for one in NAMES if one not in errors):
            try:
                found[name].append(one(python, name, place))
            except Failed as failed:
                errors[name] = str(failed)
                stage.say(f"{name} is out: {failed}")
    require_same(found)
    cost, regular, turning = measured(), measured(rhythm=True), measured(rhythm=True, turns=True)
    rows: list[Row] = [
        *table(found),
        {"work": "an order, us of CPU a customer, without any server", "rapport": round(cost.whole, 1)},
        {"work": "the same of customers with a rhythm", "rapport": round(regular.whole, 1)},
        {"work": "the same with a season and paces, too", "rapport": round(turning.whole, 1)},
    ]
    cells = found["rapport"][0]["cells"]
    notes = [
        " ".join(note.split()) for note in NOTES.format(customers=customers, rounds=rounds, cells=cells).split("\n\n")
    ]
    notes += [f"{name} could not be measured: {error}" for name, error in errors.items()]
    details = {
        "runs": found,
        "errors": errors,
        "order": vars(cost),
        "order with a rhythm": vars(regular),
        "order with a season and paces, too": vars(turning),
        "customers": customers,
    }
    return Section("scores", "Scores of a whole base", rows, notes, details=details)


def one(python: Path, name: str, place: Path) -> dict[str, Any]:
    """One competitor once, in a new process."""
    command = [str(python), "-m", "tests.bench.scores.one", name, str(place)]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, cwd=ROOT, env=environ()
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"not done within {SECONDS:.0f} s") from None
    if ran.returncode:
        raise Failed((ran.stderr.strip().splitlines() or ["no reason given"])[-1][:300])
    figures: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
    return figures


def environ() -> dict[str, str]:
    """The platform's code from here, all else from the competitors' environment."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def require_same(found: dict[str, list[dict[str, Any]]]) -> None:
    """Raises Failed where somebody expects something else: then the work was not the same."""
    expected = [(name, run["expected"]) for name, runs in found.items() for run in runs]
    if not expected:
        raise Failed("nobody could be measured")
    first = expected[0][1]
    for name, total in expected:
        # Asked this way round, a total that is no number is none of the same either.
        if not abs(total - first) <= SAME * first:
            raise Failed(f"{name} expects {total:,.0f} purchases, {expected[0][0]} {first:,.0f}")


def table(found: dict[str, list[dict[str, Any]]]) -> list[Row]:
    """A line for each work, with the others' times as multiples of ours."""
    return [
        line
        for work in WORK
        if len(
            line := _line(
                work, {name: [run[f"{work} s"] for run in runs if f"{work} s" in run] for name, runs in found.items()}
            )
        )
        > 1
    ]


def _line(work: str, seconds: dict[str, list[float]]) -> dict[str, Any]:
    medians = {name: statistics.median(values) for name, values in seconds.items() if values}
    line: dict[str, Any] = {"work": f"{work}, s", **{name: round(value, 3) for name, value in medians.items()}}
    ours = medians.get("rapport")
    if ours:
        line |= {f"{name} / rapport": round(value / ours, 1) for name, value in medians.items() if name != "rapport"}
    return line
