"""Records as columns of codes: each distinct value is kept, counted, and read once, however many records have it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field as filled

import numpy as np
import numpy.typing as npt

from services.contacts.domain.matching import compare
from services.contacts.domain.matching.kinds import MISSING, SAME, Kind
from services.contacts.domain.matching.values import canonical

Ints = npt.NDArray[np.int64]
Levels = npt.NDArray[np.int8]
ABSENT = 0
"""The code of no value."""


@dataclass(frozen=True)
class Field:
    """A column that takes part, by its name in the records, and what it holds."""

    name: str
    kind: Kind
    day_first: bool = True
    this_year: int | None = None
    """For dates with two figures for the year. None: these say nothing."""

    @property
    def label(self) -> str:
        """What explanations call it: its kind where that says more than its column's name."""
        return self.name if self.kind in {Kind.TEXT, Kind.CATEGORY, Kind.IDENTIFIER, Kind.YEAR} else self.kind

    def value(self, text: str) -> str:
        return canonical(self.kind, text, day_first=self.day_first, this_year=self.this_year)


@dataclass
class Column:
    """A field's distinct values; `codes` has one number a record, ABSENT where it says nothing."""

    field: Field
    values: list[str] = filled(default_factory=lambda: [""])
    counts: list[int] = filled(default_factory=lambda: [0])
    known: dict[str, int] = filled(default_factory=lambda: {"": ABSENT})
    codes: npt.NDArray[np.int32] = filled(default_factory=lambda: np.zeros(16, np.int32))

    def code(self, value: str) -> int:
        found = self.known.get(value)
        if found is None:
            found = self.known[value] = len(self.values)
            self.values.append(value)
            self.counts.append(0)
        return found


VAGUE = (Kind.GIVEN, Kind.BIRTH)
"""Kinds of which two equal values may be less than the same."""


def vague(kind: Kind, value: str) -> int:
    """The level at which two equal values agree: a bare initial or a bare year is not the same name or day."""
    if kind is Kind.GIVEN and len(value) == 1:
        return 2
    if kind is Kind.BIRTH and value.endswith("00"):
        return 2
    return SAME


class Table:
    """Records in rows that are never used again: a record that goes leaves its row empty. O(1) for each addition."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        self.columns = [Column(one) for one in fields]
        self.rows = 0
        self.present = np.zeros(len(self.columns), np.int64)

    def __len__(self) -> int:
        return self.rows

    def values(self, record: Mapping[str, str | None]) -> tuple[str, ...]:
        return tuple(one.value(record.get(one.name) or "") for one in self.fields)

    def append(self, values: Iterable[str]) -> int:
        row = self.rows
        for place, (column, value) in enumerate(zip(self.columns, values, strict=True)):
            if row == len(column.codes):
                column.codes = np.concatenate([column.codes, np.zeros(len(column.codes), np.int32)])
            code = column.code(value)
            column.codes[row] = code
            column.counts[code] += 1
            self.present[place] += code != ABSENT
        self.rows = row + 1
        return row

    def extend(self, records: Sequence[Sequence[str]]) -> None:
        """Many records at once, in rows that follow each other: about a fifth of the time that they take one by one."""
        if not records:
            return
        first, self.rows = self.rows, self.rows + len(records)
        for place, (column, values) in enumerate(zip(self.columns, zip(*records, strict=True), strict=True)):
            codes = np.fromiter(map(column.code, values), np.int32, len(values))
            times = np.bincount(codes, minlength=len(column.values))
            column.codes = np.concatenate([column.codes[:first], codes])
            column.counts = (np.array(column.counts) + times).tolist()
            self.present[place] += len(codes) - int(times[ABSENT])

    def clear(self, row: int) -> None:
        for place, column in enumerate(self.columns):
            code = int(column.codes[row])
            column.counts[code] -= 1
            self.present[place] -= code != ABSENT
            column.codes[row] = ABSENT

    def forget(self, place: int, code: int) -> None:
        """A value of a field, of all records that have it. O(rows)."""
        column = self.columns[place]
        self.present[place] -= column.counts[code]
        column.counts[code] = 0
        column.codes[column.codes == code] = ABSENT

    def drop_last(self) -> None:
        """Take the last row back, as if it had never been there."""
        last = self.rows - 1
        codes = [int(column.codes[last]) for column in self.columns]
        self.clear(last)
        for column, code in zip(self.columns, codes, strict=True):
            if code == len(column.values) - 1 and code != ABSENT and not column.counts[code]:
                del column.known[column.values.pop()]
                column.counts.pop()
        self.rows = last

    def row(self, row: int) -> tuple[str, ...]:
        return tuple(column.values[column.codes[row]] for column in self.columns)

    def where(self, *kinds: Kind) -> list[int]:
        return [place for place, one in enumerate(self.fields) if one.kind in kinds]


@dataclass(frozen=True)
class Compared:
    """Pairs, field by field: `levels` (fields, pairs), and of the more frequent of the two values its `share`
    among all values of the field, the same shape; `unit` (fields,) is the share of a single record.
    """

    levels: Levels
    shares: npt.NDArray[np.float64]
    unit: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return int(self.levels.shape[1])

    def part(self, which: npt.NDArray[np.bool_] | Ints) -> "Compared":
        return Compared(self.levels[:, which], self.shares[:, which], self.unit)


def compared(table: Table, left: Ints, right: Ints) -> Compared:
    """Each of the pairs of rows."""
    found = levels(table, left, right)
    shares, unit = np.empty(found.shape), 1.0 / np.maximum(table.present, 1)
    for place, column in enumerate(table.columns):
        counts = np.maximum(*(_counts(column, column.codes[rows]) for rows in (left, right)))
        shares[place] = np.maximum(counts, 1) * unit[place]
    return Compared(found, shares, unit)


def levels(table: Table, left: Ints, right: Ints) -> Levels:
    """How far the pairs of rows agree, field by field (fields, pairs)."""
    found = np.empty((len(table.fields), len(left)), np.int8)
    for place, column in enumerate(table.columns):
        found[place] = _levels(column, column.codes[left], column.codes[right])
    _note_swaps(table, left, right, found)
    return found


def _counts(column: Column, codes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    # For a few records among a million values, it is not worth making an array of all counts.
    if len(codes) < len(column.counts) // 10:
        return np.array([column.counts[code] for code in codes.tolist()], np.int64)
    return np.asarray(column.counts, np.int64)[codes]


def _levels(column: Column, a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]) -> Levels:
    found = np.full(len(a), MISSING, np.int8)
    both = (a != ABSENT) & (b != ABSENT)
    same = both & (a == b)
    found[same] = SAME
    if column.field.kind in VAGUE:
        found[same] = [vague(column.field.kind, column.values[code]) for code in a[same].tolist()]
    other = np.flatnonzero(both & (a != b))
    low, high = np.minimum(a[other], b[other]).astype(np.int64), np.maximum(a[other], b[other]).astype(np.int64)
    # Common pairs of values come many times; each is compared once.
    distinct, back = np.unique(low << 32 | high, return_inverse=True)
    texts = [[column.values[code] for code in side.tolist()] for side in (distinct >> 32, distinct & 0xFFFFFFFF)]
    found[other] = compare.levels(column.field.kind, texts[0], texts[1])[back]
    return found


def _note_swaps(table: Table, left: Ints, right: Ints, levels: Levels) -> None:
    givens, families = table.where(Kind.GIVEN), table.where(Kind.FAMILY)
    if not (givens and families):
        return
    given, family = givens[0], families[0]
    apart = np.flatnonzero(np.isin(levels[given], (MISSING, 2, 4)) & np.isin(levels[family], (MISSING, 2, 4)))

    def texts(place: int, rows: Ints) -> list[str]:
        column = table.columns[place]
        return [column.values[code] for code in column.codes[rows[apart]].tolist()]

    if not len(apart):
        return
    across = (
        compare.crossed(texts(given, left), texts(family, right)),
        compare.crossed(texts(family, left), texts(given, right)),
    )
    low, high = np.minimum(*across), np.maximum(*across)
    # Both names cross; or one does, and where the other should be there is nothing.
    found = apart[(high == 2) & (low != 0)]
    for place in (given, family):
        levels[place, found] = np.where(levels[place, found] == MISSING, MISSING, 3)
