"""Ten thousand worlds in which everything fails, and the proof that they would show a mistake."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.planted import BUGS
from tests.simulation.run import run

RUNS = 10_000
PROCESSES = 2
SECONDS = 800


def simulation(*arguments: str) -> str:
    """A run of the program; the order of sets is part of what a seed decides, so it has a process of its own."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_same_seed_is_the_same_run() -> None:
    first, second = run(7, tracing=True), run(7, tracing=True)
    assert first.trace == second.trace
    assert (first.steps, first.seconds, first.struck) == (second.steps, second.seconds, second.struck)


def test_a_traced_run_goes_as_an_untraced_one() -> None:
    traced, untraced = run(11, tracing=True), run(11)
    assert traced.trace
    assert not untraced.trace
    assert (traced.steps, traced.seconds) == (untraced.steps, untraced.seconds)


@pytest.mark.timeout(SECONDS)
def test_every_planted_bug_is_found() -> None:
    found = simulation("--bugs").splitlines()
    assert len(found) == len(BUGS)


@pytest.mark.journey
@pytest.mark.timeout(SECONDS)
def test_ten_thousand_worlds_keep_every_promise() -> None:
    print(simulation("--runs", str(RUNS), "--processes", str(PROCESSES)))
