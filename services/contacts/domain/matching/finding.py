"""All duplicates of a table at once: block, learn, weigh, decide, cluster. The same rules as for one record (`register`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from services.contacts.domain.matching.blocking import keys, lacks_a_name, nameless_keys
from services.contacts.domain.matching.cluster import clusters, one_to_one
from services.contacts.domain.matching.decide import Thresholds
from services.contacts.domain.matching.evidence import Floats, Weights, evidence, say
from services.contacts.domain.matching.explain import Explanation, explain
from services.contacts.domain.matching.index import Index
from services.contacts.domain.matching.learning import learn
from services.contacts.domain.matching.table import Ints, Table, compared

Advance = Callable[[str], None]

PAIRS_PER_RECORD = 30
LEAST_BUDGET = 2_000_000
MOST_BUDGET = 30_000_000
"""Pairs that are compared at most: 2 to 5 us each, and 16 bytes until they are."""
BATCH = 500_000


@dataclass(frozen=True)
class Pairs:
    """Pairs of rows with log2 odds and posterior of a match."""

    left: Ints
    right: Ints
    odds: Floats
    probability: Floats

    def part(self, which: Ints) -> "Pairs":
        return Pairs(self.left[which], self.right[which], self.odds[which], self.probability[which])

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True)
class Found:
    """`merged` pairs are at the automatic threshold or above, `doubtful` at that for review; clusters are of rows."""

    weights: Weights
    thresholds: Thresholds
    compared: int
    largest_key: int
    merged: Pairs
    doubtful: Pairs
    clusters: list[list[int]]


def find(
    table: Table,
    index: Index,
    thresholds: Thresholds,
    weights: Weights | None = None,
    advance: Advance = lambda _: None,
    records: int | None = None,
    sources: Ints | None = None,
) -> Found:
    """Duplicates among all rows of a table that are in its index. Weights are learnt from it unless given; `records` is how
    many of the rows there still are. With `sources`, one number a row, two files without duplicates of their own are linked:
    a record has one partner at most, and it is of the other.
    """
    records = table.rows if records is None else records
    budget = int(np.clip(PAIRS_PER_RECORD * records, LEAST_BUDGET, MOST_BUDGET))
    (left, right), largest = index.pairs(budget, advance)
    left, right = _across(sources, *_with_copies(table, left, right))
    weights = weights or learn(table, (left, right), records, advance)
    left, right = _across(sources, *_with_nameless(table, left, right, budget))
    advance(f"weighing {len(left):,} pairs")
    possible = weigh(table, weights, left, right, thresholds.review)
    merged = possible.part(np.flatnonzero(thresholds.merged(possible.probability)))
    if sources is not None:
        merged = merged.part(one_to_one(merged.left, merged.right, merged.odds))
    advance("clustering")

    def score(a: Ints, b: Ints) -> tuple[Floats, Floats]:
        pairs = compared(table, a, b)
        return evidence(weights, pairs).total, say(weights, pairs)

    groups = clusters(merged.left, merged.right, merged.odds, score, needed=0.0)
    of_row = {row: number for number, group in enumerate(groups) for row in group}
    apart = [
        of_row.get(a, -1) != of_row.get(b, -2)
        for a, b in zip(possible.left.tolist(), possible.right.tolist(), strict=True)
    ]
    doubtful = possible.part(np.flatnonzero(np.array(apart, bool)))
    return Found(weights, thresholds, len(left), largest, merged, doubtful, groups)


def _across(sources: Ints | None, left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Of two files, the pairs of a record of each."""
    if sources is None:
        return left, right
    across = sources[left] != sources[right]
    return left[across], right[across]


def _with_copies(table: Table, left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Also each record with the next one that says exactly the same: of hundreds of copies all keys are too frequent."""
    codes = (
        np.stack([column.codes[: table.rows] for column in table.columns], axis=1)
        if table.columns
        else np.zeros((0, 0))
    )
    rows = np.flatnonzero(codes.any(axis=1))
    if not len(rows):
        return left, right
    _, group = np.unique(codes[rows], axis=0, return_inverse=True)
    order = np.argsort(group, kind="stable")
    same = np.flatnonzero(group[order][1:] == group[order][:-1])
    coded = np.union1d(left << 32 | right, rows[order[same]] << 32 | rows[order[same + 1]])
    return coded >> 32, coded & 0xFFFFFFFF


def _with_nameless(table: Table, left: Ints, right: Ints, budget: int) -> tuple[Ints, Ints]:
    """Also pairs of which one lacks a name and that agree in places or dates. They come after learning: where a household's members
    cannot be told apart, nothing is learnt of how many of its records are one person's.
    """
    rows = [table.row(row) for row in range(table.rows)]
    lacking = np.array([any(values) and lacks_a_name(table.fields, values) for values in rows], bool)
    theirs = {key for row in np.flatnonzero(lacking).tolist() for key in nameless_keys(table.fields, rows[row])}
    if not theirs:
        return left, right
    index = Index()
    for row, values in enumerate(rows):
        index.add(row, theirs.intersection(nameless_keys(table.fields, values)))
    (a, b), _ = index.pairs(budget)
    some = lacking[a] | lacking[b]
    coded = np.union1d(left << 32 | right, a[some] << 32 | b[some])
    return coded >> 32, coded & 0xFFFFFFFF


def weigh(table: Table, weights: Weights, left: Ints, right: Ints, least: float) -> Pairs:
    """The pairs whose posterior is at least `least`."""
    parts = []
    for begin in range(0, len(left), BATCH):
        a, b = left[begin : begin + BATCH], right[begin : begin + BATCH]
        found = evidence(weights, compared(table, a, b))
        probability = found.probability
        kept = np.flatnonzero(probability >= least)
        parts.append(Pairs(a[kept], b[kept], found.total[kept], probability[kept]))
    if not parts:
        return Pairs(left, right, np.zeros(0), np.zeros(0))
    columns = ((one.left, one.right, one.odds, one.probability) for one in parts)
    return Pairs(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def explained(table: Table, weights: Weights, pairs: Sequence[tuple[int, int]]) -> list[tuple[float, Explanation]]:
    """Posterior and explanation of each pair of rows."""
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    together = compared(table, left, right)
    found = evidence(weights, together)
    probability = found.probability
    return [
        (float(probability[place]), explain(weights, together, found, place, (table.row(a), table.row(b))))
        for place, (a, b) in enumerate(pairs)
    ]


def indexed(table: Table, advance: Callable[[int], None] = lambda _: None) -> Index:
    """The blocking index of a whole table."""
    index = Index()
    for row in range(table.rows):
        index.add(row, keys(table.fields, table.row(row)))
        if index.due:
            index.compact()
            advance(row)
    index.compact()
    return index
