"""`python -m tests.simulation`: many seeds, one seed with its trace, or every planted bug.

--runs 10000 [--first 0] [--processes 2]    the kept seeds, then so many more; exit code 1 if one is red
--seed N                                    one seed, with the whole trace
--bug NAME                                  with a planted bug, for either of these
--bugs                                      every planted bug must be found; exit code 1 if one is not
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

HASH_SEED = "PYTHONHASHSEED"
SHOWN = 5
SEEDS_A_BUG = 1000
TOLD = ("starts", "stops", "killed", "paused", "elects", "away", "forgotten", "assigned", "leads", "lease")
"""What is shown of the trace of a red seed beside what concerns the wrong event."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--bug")
    parser.add_argument("--bugs", action="store_true")
    wanted = parser.parse_args()
    if wanted.bugs:
        return all_bugs()
    if wanted.seed is not None:
        return one_seed(wanted.seed, wanted.bug)
    return many_seeds(wanted.first, wanted.runs, wanted.processes, wanted.bug)


def one_seed(seed: int, bug: str | None) -> int:
    from tests.simulation.planted import planted
    from tests.simulation.run import run

    with planted(bug):
        outcome = run(seed, tracing=True)
    print("\n".join(outcome.trace))
    for wrong in outcome.wrong:
        print("WRONG", wrong)
    print(
        f"seed {seed}: {'red' if outcome.red else 'green'}, {outcome.steps} steps, {outcome.seconds:.1f} s of its time"
    )
    return int(outcome.red)


def many_seeds(first: int, runs: int, processes: int, bug: str | None) -> int:
    from tests.simulation.seeds import KEPT, Tally, many

    began, total = time.perf_counter(), Tally()
    for tally in many([*KEPT, *range(first, first + runs)], processes, bug):
        total.merge(tally)
    seconds, cpu = time.perf_counter() - began, sum(os.times()[:4])
    for red in total.red[:SHOWN]:
        explain(red.seed, bug)
    struck = ", ".join(f"{kind} {times}" for kind, times in sorted(total.struck.items()))
    print(f"faults that struck: {struck}")
    print(
        f"{total.runs} runs, {len(total.red)} red: {total.steps:,} steps, {total.seconds / 3600:.1f} simulated hours"
        f" in {seconds:.0f} s ({cpu:.0f} s of CPU, {total.steps / cpu:,.0f} steps and {total.runs / cpu:.0f} runs a second of it)"
    )
    if total.red:
        print(f"red seeds: {' '.join(str(red.seed) for red in total.red[:50])}")
    return int(bool(total.red))


def explain(seed: int, bug: str | None) -> None:
    """Run a red seed again, and show what became of the first wrong event."""
    from tests.simulation.planted import planted
    from tests.simulation.run import run

    with planted(bug):
        outcome = run(seed, tracing=True)
    print(
        f"\nseed {seed} is red; the whole trace: python -m tests.simulation --seed {seed}{f' --bug {bug}' if bug else ''}"
    )
    for wrong in outcome.wrong[:SHOWN]:
        print("  WRONG", wrong)
    event = next((wrong.event for wrong in outcome.wrong if wrong.event), None)
    for line in outcome.trace:
        if (event and event in line.replace(",", " ").split()) or any(word in line for word in TOLD):
            print("  ", line)


def all_bugs() -> int:
    """Each must turn a seed red that is green without it."""
    from tests.simulation.planted import BUGS
    from tests.simulation.planted_persons import ABOUT_PERSONS
    from tests.simulation.planted_withdrawal import ABOUT_WITHDRAWAL
    from tests.simulation.run import run, seeds_of
    from tests.simulation.seeds import some
    from tests.simulation.stories.unity import Unity
    from tests.simulation.stories.withdrawal import Withdrawal

    missed = 0
    own = dict.fromkeys(ABOUT_PERSONS, Unity) | dict.fromkeys(ABOUT_WITHDRAWAL, Withdrawal)
    for bug, plant in BUGS.items():
        seeds = seeds_of(own[plant], SEEDS_A_BUG) if plant in own else range(SEEDS_A_BUG)
        red = some(seeds, bug, most_red=1).red
        if red and not run(red[0].seed).red:
            print(f"{bug}: found by seed {red[0].seed}: {str(red[0].wrong[0])[:140]}")
        else:
            missed += 1
            print(f"{bug}: NOT FOUND in {SEEDS_A_BUG} seeds")
    return int(bool(missed))


def begin(arguments: Sequence[str]) -> int:
    """The order of sets is part of what a seed decides."""
    if os.environ.get(HASH_SEED) != "0":
        os.environ[HASH_SEED] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *arguments])
    return main()


if __name__ == "__main__":
    sys.exit(begin(sys.argv[1:]))
