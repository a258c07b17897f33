"""A file of purchases, however it is written, as columns. Rows that cannot be read are counted and named, never dropped silently."""

import csv
import gzip
import math
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from services.scoring.domain.fitting import Floats
from services.scoring.domain.histogram import Ints
from services.scoring.evaluation.dates import EPOCH, read_dates

LARGEST = 1e12
"""Amounts from here on do not fit the service's books either."""
FIRST_LINES = 5
LONGEST_HEADER = 300
NO_DAY = -(2**31)


class Unreadable(Exception):
    """Nothing can be evaluated; the message says why, to the person at the terminal."""


class Columns(NamedTuple):
    customer: str
    date: str
    amount: str


@dataclass
class SetAside:
    """Rows that could not be used: how many, and where the first are."""

    reason: str
    count: int = 0
    first_lines: list[int] = field(default_factory=list)

    def note(self, line: int) -> None:
        self.count += 1
        if len(self.first_lines) < FIRST_LINES:
            self.first_lines.append(line)


@dataclass(frozen=True)
class Sales:
    """One element a row: customers as numbers, days since 1970-01-01, money."""

    customer: Ints
    day: Ints
    amount: Floats
    rows: int
    duplicates: int
    set_aside: tuple[SetAside, ...]
    date_pattern: str
    ambiguous_with: str | None

    def period(self, calibration_end: date, holdout_end: date | None) -> tuple[int, int]:
        """The last day of the calibration and of the holdout, by default the file's last. Raises Unreadable."""
        if not len(self.day):
            reasons = "; ".join(f"{one.count:,} times {one.reason}" for one in self.set_aside)
            raise Unreadable(f"none of the file's {self.rows:,} rows can be used: {reasons or 'there are none'}")
        end = calibration_end.toordinal() - EPOCH
        until = holdout_end.toordinal() - EPOCH if holdout_end else int(self.day.max())
        if until <= end:
            last = date.fromordinal(until + EPOCH)
            raise Unreadable(
                f"nothing lies between the calibration's end, {calibration_end}, and the holdout's, {last}"
            )
        return end, until


@dataclass
class _Texts:
    customer: list[str] = field(default_factory=list)
    date: list[str] = field(default_factory=list)
    amount: list[str] = field(default_factory=list)
    line: list[int] = field(default_factory=list)
    short: SetAside = field(default_factory=lambda: SetAside("row without all three columns"))
    distinct: set[int] = field(default_factory=set)
    rows: int = 0
    decimal_comma: bool = False


def read_sales(path: Path, columns: Columns, date_pattern: str | None = None) -> Sales:
    """The file's rows: CSV with a header, separated by comma, semicolon, tab or bar; .gz too. Raises Unreadable."""
    try:
        with _open(path) as file:
            texts = _texts(file, columns)
    except (OSError, EOFError) as error:
        raise Unreadable(f"{path} cannot be read: {error}") from None
    return _sales(texts, date_pattern)


def _open(path: Path) -> IO[str]:
    # With surrogates an identifier in another encoding stays itself, byte for byte.
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")
    return path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")


def _texts(file: IO[str], columns: Columns) -> _Texts:
    separator, (customer, date, amount) = _places(file.readline(), columns)
    texts, widest = _Texts(decimal_comma=separator == ";"), max(customer, date, amount)
    reader = csv.reader(file, delimiter=separator)
    try:
        for row in filter(None, reader):
            texts.rows += 1
            if len(row) <= widest:
                texts.short.note(reader.line_num + 1)
                continue
            texts.distinct.add(hash(tuple(row)))
            texts.customer.append(row[customer].strip())
            texts.date.append(row[date])
            texts.amount.append(row[amount])
            texts.line.append(reader.line_num + 1)
    except csv.Error as error:
        raise Unreadable(f"line {reader.line_num + 1} is no CSV: {error}") from None
    return texts


def _places(header: str, columns: Columns) -> tuple[str, tuple[int, int, int]]:
    """The separator under which the header has all columns, and where they are."""
    for separator in ",;\t|":
        names = _names(header, separator)
        if all(column in names for column in columns):
            return separator, (names.index(columns[0]), names.index(columns[1]), names.index(columns[2]))
    names = _names(header, ",")
    missing = ", ".join(repr(column) for column in columns if column not in names)
    shown = ", ".join(map(repr, names))[:LONGEST_HEADER] or "nothing"
    raise Unreadable(f"the file has no column {missing}; its header says: {shown}")


def _names(header: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], delimiter=separator), [])]
    except csv.Error:
        return []


def _sales(texts: _Texts, date_pattern: str | None) -> Sales:
    dates = read_dates(texts.date, date_pattern)
    amounts = _amounts(texts)
    days = np.array([dates.days.get(text, NO_DAY) for text in texts.date], dtype=np.int64)
    nobody = np.array([not customer for customer in texts.customer], dtype=bool)
    faults = {
        "no customer": nobody,
        "unreadable date": ~nobody & (days == NO_DAY),
        "unreadable amount": ~nobody & (days != NO_DAY) & ~(np.abs(amounts) < LARGEST),
    }
    good = ~np.any(list(faults.values()), axis=0)
    lines = np.array(texts.line, dtype=np.int64)
    aside = [texts.short, *(_set_aside(reason, lines[fault]) for reason, fault in faults.items())]
    return Sales(
        customer=_numbers(texts.customer)[good],
        day=days[good],
        amount=amounts[good],
        rows=texts.rows,
        duplicates=len(texts.line) - len(texts.distinct),
        set_aside=tuple(one for one in aside if one.count),
        date_pattern=dates.pattern,
        ambiguous_with=dates.ambiguous_with,
    )


def _numbers(names: list[str]) -> Ints:
    known: dict[str, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)


def _set_aside(reason: str, lines: Ints) -> SetAside:
    return SetAside(reason, len(lines), lines[:FIRST_LINES].tolist())


def _amounts(texts: _Texts) -> Floats:
    """To the millionth, as the service keeps money; NaN where a text is no number."""
    written = [text.replace(",", ".") for text in texts.amount] if texts.decimal_comma else texts.amount
    try:
        amounts = list(map(float, written))
    except ValueError:
        amounts = [_amount(text) for text in written]
    money: Floats = np.array(amounts, dtype=np.float64).clip(-LARGEST, LARGEST).round(6)
    return money


def _amount(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
