"""The blocking index, kept as records come and go: keys to rows, in sorted arrays with a small dictionary before them.

12 bytes a key and record in the arrays. A key that too many records share says nothing (John Smith of London): it is not
followed by itself, only where a second such key is shared too.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int32]
Keys = npt.NDArray[np.int64]
Pairs = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]

FREQUENT = 200
"""Records of a key beyond which it is not followed by itself."""
MOST_CANDIDATES = 500
"""Of one record, those that share most keys first: comparing them takes a few milliseconds."""
MOST_JOINED = 4
"""Frequent keys of a record, the rarest first, that are joined two by two."""
LONGEST_JOINED = 30_000
"""Records of a key beyond which it is not even joined: to bring two such lists together takes a millisecond."""
RECENT = 50_000
"""Keys in the dictionary, at least, before they are worth sorting into the arrays; more in a large index."""


class Index:
    """Rows must be added in growing order; a changed record gets a new row."""

    def __init__(self) -> None:
        self.keys: Keys = np.zeros(0, np.int64)
        self.rows: Rows = np.zeros(0, np.int32)
        self.recent: dict[int, list[int]] = {}
        self.recent_count = 0
        self.gone: set[int] = set()

    def add(self, row: int, keys: Iterable[int]) -> None:
        for key in keys:
            self.recent.setdefault(key, []).append(row)
            self.recent_count += 1

    def remove(self, row: int) -> None:
        self.gone.add(row)

    @property
    def due(self) -> bool:
        """Whether `compact` is worth its time (a second for a million records, so best in a thread)."""
        return self.recent_count > max(RECENT, len(self.keys) // 8) or len(self.gone) > max(
            RECENT, len(self.rows) // 50
        )

    def compact(self) -> None:
        """Sort what is new into the arrays and forget what is gone."""
        lengths = [len(rows) for rows in self.recent.values()]
        keys = np.repeat(np.fromiter(self.recent, np.int64, len(self.recent)), lengths)
        rows = np.fromiter((row for rows in self.recent.values() for row in rows), np.int32, self.recent_count)
        self.replace(np.concatenate([self.keys, keys]), np.concatenate([self.rows, rows]))

    def replace(self, keys: Keys, rows: Rows) -> None:
        """All there is from now on: a key and a row in each place."""
        if self.gone:
            stay = ~np.isin(rows, np.fromiter(self.gone, np.int32, len(self.gone)))
            keys, rows = keys[stay], rows[stay]
        order = np.lexsort((rows, keys))
        self.keys, self.rows = keys[order], rows[order]
        self.recent, self.recent_count, self.gone = {}, 0, set()

    def of(self, key: int) -> Rows:
        """The rows of a key, growing."""
        first, last = np.searchsorted(self.keys, [key, key + 1])
        rows = self.rows[first:last]
        if recent := self.recent.get(key):
            rows = np.concatenate([rows, np.asarray(recent, np.int32)])
        return rows

    def candidates(self, keys: Iterable[int]) -> Rows:
        """Rows that share a key, those that share most first, at most MOST_CANDIDATES."""
        found = sorted((self.of(key) for key in keys), key=len)
        few = [rows for rows in found if 0 < len(rows) <= FREQUENT]
        many = [rows for rows in found if FREQUENT < len(rows) <= LONGEST_JOINED][:MOST_JOINED]
        few += [both for both in (shared(*two) for two in combinations(many, 2)) if len(both) <= FREQUENT]
        if not few:
            return np.zeros(0, np.int32)
        rows, times = np.unique(np.concatenate(few), return_counts=True)
        if self.gone:
            stay = np.array([row not in self.gone for row in rows.tolist()], bool)
            rows, times = rows[stay], times[stay]
        return rows[np.argsort(-times, kind="stable")][:MOST_CANDIDATES]

    def pairs(self, budget: int, advance: Callable[[str], None] = lambda _: None) -> tuple[Pairs, int]:
        """All pairs of rows worth comparing, each once and the smaller first; and how many records the largest key that
        was followed has. The smallest keys are followed first, as far as the budget of pairs goes.
        """
        if self.recent or self.gone:
            self.compact()
        if not len(self.keys):
            return (np.zeros(0, np.int64), np.zeros(0, np.int64)), 0
        groups = Groups.of(self.keys)
        limit = min(groups.limit(budget), FREQUENT)
        advance(
            f"{int((groups.sizes > limit).sum()):,} of {len(groups.sizes):,} keys are too frequent (beyond {limit:,} records)"
        )
        parts = [_coded(self.rows[a], self.rows[b]) for a, b in groups.couples(groups.sizes <= limit)]
        keys, rows = self._joined(groups, limit)
        joined = Groups.of(keys)
        parts += [
            _coded(rows[a], rows[b]) for a, b in joined.couples(joined.sizes <= min(FREQUENT, joined.limit(budget)))
        ]
        coded = np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
        return (coded >> 32, coded & 0xFFFFFFFF), limit

    def _joined(self, groups: "Groups", limit: int) -> tuple[Keys, Rows]:
        """New keys of records whose keys are too frequent: each two of the rarest of these."""
        frequent = np.repeat(groups.sizes > limit, groups.sizes)
        sizes = np.repeat(groups.sizes, groups.sizes)[frequent]
        keys, rows = self.keys[frequent], self.rows[frequent]
        order = np.lexsort((sizes, rows))
        keys, rows = keys[order], rows[order]
        rank = np.arange(len(rows)) - np.repeat(*_starts(rows))
        keys, rows = keys[rank < MOST_JOINED], rows[rank < MOST_JOINED]
        of_rows = Groups.of(rows)
        made = [(keys[a] ^ keys[b] * 31, rows[a]) for a, b in of_rows.couples(of_rows.sizes > 1)]
        if not made:
            return np.zeros(0, np.int64), np.zeros(0, np.int32)
        joined, of = (np.concatenate(side) for side in zip(*made, strict=True))
        order = np.lexsort((of, joined))
        return joined[order], of[order]


class Groups:
    """Runs of equal values in a sorted array: where each begins, and its size."""

    def __init__(self, starts: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64]) -> None:
        self.starts, self.sizes = starts, sizes

    @classmethod
    def of(cls, values: npt.NDArray[np.int64] | Rows) -> "Groups":
        starts, sizes = _starts(values)
        return cls(starts, sizes)

    def limit(self, budget: int) -> int:
        """The largest size so that all couples of groups up to it keep to the budget."""
        sizes, times = np.unique(self.sizes, return_counts=True)
        couples = np.cumsum(times * sizes * (sizes - 1) // 2)
        within = sizes[couples <= budget]
        return int(within[-1]) if len(within) else 1

    def couples(self, which: npt.NDArray[np.bool_]) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """The places of each two members of a group, group size by group size, the earlier first."""
        for size in np.unique(self.sizes[which & (self.sizes > 1)]).tolist():
            first, second = np.triu_indices(size, 1)
            starts = self.starts[which & (self.sizes == size), None]
            yield (starts + first).ravel(), (starts + second).ravel()


def _starts(values: npt.NDArray[np.int64] | Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return starts, np.diff(np.append(starts, len(values)))


def _coded(a: Rows, b: Rows) -> npt.NDArray[np.int64]:
    low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
    return np.unique(low << 32 | high)


def shared(few: Rows, many: Rows) -> Rows:
    """What is in both of two growing arrays; by bisection, so that a long one costs little."""
    places = np.searchsorted(many, few)
    places[places == len(many)] = 0
    return few[many[places] == few] if len(many) else few[:0]
