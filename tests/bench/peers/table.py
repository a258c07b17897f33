"""The result as rows and notes; nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench.peers.field import Variant
from tests.bench.peers.turns import Outcome
from tests.bench.section import Row

MEASURE = {"MongoDB": "core-mongo"}
"""Against whom a row is measured: the core over the same state."""
CORES = ("core", "core-mongo")
NOTES = (
    (
        "CPU is user and system time of the consumer's process, all threads, from the first record to the last effect: "
        "starting, joining the group and closing do not count. Times against the core above 1 mean dearer than the core."
    ),
    (
        "Everybody runs in one virtual environment with the same Python and pydantic, asyncio's own event loop, and the "
        "garbage collector set as our services set it, which helps everybody; two rows show what it is worth."
    ),
    (
        "Four partitions, ten events a customer spread over the log, batches of at most 1,000 records where there are "
        "batches; the core's records carry the CloudEvents headers it reads, the others' carry none."
    ),
    (
        "MongoDB is a replica set of one, write concern majority, journalled; rows over MongoDB all send the same upserts, "
        "one a customer and batch, but for Quix's own sink (one an event). MongoDB's CPU includes its background work."
    ),
    (
        "After a kill, state in memory is lost whoever held it. At least once means that a kill between the write and "
        "the commit makes increments twice. Only the core's figure includes its envelope, dead letters, filter of "
        "duplicates, fence and outbox."
    ),
    (
        "Slow ones get fewer events; their CPU is per event all the same. A batch that FastStream had read before anything "
        "of ours could see it is not counted."
    ),
)


def row(variant: Variant, outcomes: Mapping[str, Outcome]) -> Row:
    outcome = outcomes[variant.name]
    cells: dict[str, str | int | float | bool | None] = {
        "consumer": variant.title,
        "state": variant.state,
        "CPU s/M": _rounded(outcome.median("cpu_per_million")),
        "x core": _ratio(outcome, outcomes.get(MEASURE.get(variant.state, "core"))),
        "MongoDB CPU s/M": _rounded(outcome.median("database_cpu_per_million")),
        "events/s": _whole(outcome.median("per_second")),
        "after a kill": variant.guarantee,
        "events": outcome.events,
        "versions": _versions(outcome),
    }
    if outcome.error:
        cells["error"] = outcome.error
    return {heading: cell for heading, cell in cells.items() if cell is not None}


def void(outcomes: Mapping[str, Outcome]) -> str:
    """Without the core there is nothing to compare with."""
    failed = [f"{name}: {outcomes[name].error}" for name in CORES if name in outcomes and outcomes[name].error]
    return "; ".join(failed)


def _ratio(outcome: Outcome, core: Outcome | None) -> float | None:
    own, measure = outcome.median("cpu_per_million"), core and core.median("cpu_per_million")
    return round(own / measure, 2) if own is not None and measure else None


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 1)


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(figure)


def _versions(outcome: Outcome) -> str:
    found: dict[str, str] = outcome.runs[0]["versions"] if outcome.runs else {}
    return ", ".join(f"{name} {number}" for name, number in found.items())
