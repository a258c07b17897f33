"""Duplicates of a file, found as the service finds them, and held against the truth where the file has it."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from services.contacts.domain.matching.cluster import pairs_within
from services.contacts.domain.matching.decide import Thresholds
from services.contacts.domain.matching.fields import Chosen, understand
from services.contacts.domain.matching.finding import Found, find, indexed
from services.contacts.domain.matching.standins import StandIn, forget_stand_ins
from services.contacts.domain.matching.table import Ints, Table
from services.contacts.evaluation.reading import Records, Unreadable

Advance = Callable[[str], None]
TOLD = 10
"""Stand-ins that are named, those of most records."""


@dataclass(frozen=True)
class Judged:
    """Pairs that the clusters imply, against those that the truth implies. Figures that do not exist are None."""

    true_pairs: int
    found_pairs: int
    right_pairs: int
    review_pairs: int
    review_right: int

    @property
    def precision(self) -> float | None:
        return self.right_pairs / self.found_pairs if self.found_pairs else None

    @property
    def recall(self) -> float | None:
        return self.right_pairs / self.true_pairs if self.true_pairs else None

    @property
    def f1(self) -> float | None:
        total = self.true_pairs + self.found_pairs
        return 2 * self.right_pairs / total if total else None


@dataclass(frozen=True)
class Evaluation:
    records: Records
    chosen: Chosen
    table: Table
    found: Found
    judged: Judged | None
    seconds: float
    """From the columns to the clusters; reading the file is not in it."""
    unread: Sequence[StandIn] = ()

    @property
    def pairs(self) -> int:
        return pairs_within(self.found.clusters)

    @property
    def warnings(self) -> list[str]:
        unread = (
            f"{one.column} {one.value!r} is left unread: {one.records:,} records of different names have it."
            for one in self.unread[:TOLD]
        )
        return [*self.records.warnings, *self.found.weights.doubts, *unread]


def evaluate(
    records: Records,
    thresholds: Thresholds,
    mapped: Mapping[str, str] | None = None,
    truth: str | None = None,
    source: str | None = None,
    advance: Advance = lambda _: None,
) -> Evaluation:
    """Raises Unreadable, and BadMap of the fields."""
    for option, column in (("--truth", truth), ("--source", source)):
        if column is not None and column not in records.columns:
            raise Unreadable(
                f"{option}: the file has no column {column!r}; it has {', '.join(map(repr, records.columns))}"
            )
    sources = _sources(records.columns[source], source) if source else None
    began = time.perf_counter()
    today = datetime.now(UTC).date()
    chosen = understand(records.columns, mapped, [column for column in (truth, source) if column], today.year)
    if not chosen.fields:
        reasons = "; ".join(f"{name}: {why}" for name, why in chosen.left_out.items())
        raise Unreadable(f"no column can be compared ({reasons}); say what they hold with --map")
    advance(f"reading {len(records):,} records as {', '.join(f'{one.name} ({one.kind})' for one in chosen.fields)}")
    table = Table(chosen.fields)
    for texts in zip(*(records.columns[one.name] for one in chosen.fields), strict=True):
        table.append(one.value(text) for one, text in zip(chosen.fields, texts, strict=True))
    unread = forget_stand_ins(table)
    advance("indexing")
    found = find(table, indexed(table), thresholds, advance=advance, sources=sources)
    seconds = time.perf_counter() - began
    judged = judge(found, records.columns[truth]) if truth else None
    return Evaluation(records, chosen, table, found, judged, seconds, unread)


def _sources(values: Sequence[str], name: str) -> Ints:
    distinct, numbers = np.unique(np.array([value.strip() for value in values]), return_inverse=True)
    if len(distinct) != 2:
        raise Unreadable(
            f"--source: the column {name!r} must say of each record from which of two files it is, and has {len(distinct):,} values"
        )
    return numbers.astype(np.int64)


def judge(found: Found, truth: Sequence[str]) -> Judged:
    """Records with the same label are one customer; an empty label is nobody else's."""
    labels = [label.strip() or f"\0{row}" for row, label in enumerate(truth)]
    right = sum(_couples(Counter(labels[row] for row in group)) for group in found.clusters)
    doubtful = list(zip(found.doubtful.left.tolist(), found.doubtful.right.tolist(), strict=True))
    return Judged(
        true_pairs=_couples(Counter(labels)),
        found_pairs=pairs_within(found.clusters),
        right_pairs=right,
        review_pairs=len(doubtful),
        review_right=sum(labels[a] == labels[b] for a, b in doubtful),
    )


def _couples(counts: Counter[str]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())
