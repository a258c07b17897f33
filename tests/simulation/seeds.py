"""Many seeds, in several processes: the kept ones first."""

from __future__ import annotations

import gc
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.planted import planted
from tests.simulation.run import Outcome, run

CHUNK = 100
COLLECT_EVERY = 50
KEPT: tuple[int, ...] = (31, 38, 57, 97, 109, 193, 199, 235, 639, 2739, 3046, 3352, 4320, 4422, 4948)
"""Seeds that were red once: what they found must not come back."""


@dataclass
class Tally:
    """What became of some runs."""

    runs: int = 0
    steps: int = 0
    seconds: float = 0.0
    struck: Counter[str] = field(default_factory=Counter)
    red: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.steps += outcome.steps
        self.seconds += outcome.seconds
        self.struck.update(outcome.struck)
        if outcome.red:
            self.red.append(outcome)

    def merge(self, other: Tally) -> None:
        self.runs += other.runs
        self.steps += other.steps
        self.seconds += other.seconds
        self.struck.update(other.struck)
        self.red += other.red


def some(seeds: Sequence[int], bug: str | None = None, most_red: int | None = None) -> Tally:
    """These seeds, one after the other; not more of them than it takes to find so many red ones."""
    tally = Tally()
    gc.freeze()
    gc.disable()  # a run's rubbish is collected between runs, and what was there before is none
    try:
        with planted(bug):
            for number, seed in enumerate(seeds, 1):
                tally.add(run(seed))
                if number % COLLECT_EVERY == 0:
                    gc.collect()
                if most_red is not None and len(tally.red) >= most_red:
                    break
    finally:
        gc.enable()
    return tally


def many(seeds: Sequence[int], processes: int, bug: str | None = None) -> Iterator[Tally]:
    """The seeds in chunks, as they are done."""
    chunks = [seeds[n : n + CHUNK] for n in range(0, len(seeds), CHUNK)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(some, chunks, [bug] * len(chunks))
