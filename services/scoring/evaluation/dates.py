"""Dates as files write them. One way of writing is found for the whole file, so that 3/4 is never guessed row by row."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

EPOCH = date(1970, 1, 1).toordinal()
ISO = "ISO 8601"
PATTERNS = (
    ISO,
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%d/%m/%y",
    "%m/%d/%y",
)
ENOUGH = 5_000
"""So many different dates show how a file writes them."""


@dataclass(frozen=True)
class Dates:
    """`days`: text to day, counted from 1970-01-01; a text that is no date is missing."""

    days: dict[str, int]
    pattern: str
    ambiguous_with: str | None
    """Another pattern that reads as many dates, but as other days."""


def read_dates(texts: Iterable[str], pattern: str | None = None) -> Dates:
    """The days of all texts by one pattern: the given one, or that which reads most; among equals the first.

    Times of day are cut off; moments with an offset become UTC days, as everywhere in scoring.
    """
    unique = list(dict.fromkeys(texts))
    parts = list({_date_part(text) for text in unique})[:ENOUGH]
    readings = {one: _read(parts, one) for one in ((pattern,) if pattern else PATTERNS)}
    best = max(readings, key=lambda one: len(readings[one]))
    rivals = (one for one, days in readings.items() if len(days) == len(readings[best]) and days != readings[best])
    return Dates(_read(unique, best), best, next(rivals, None))


def _read(texts: Iterable[str], pattern: str) -> dict[str, int]:
    by_part: dict[str, int | None] = {}
    days: dict[str, int] = {}
    for text in texts:
        part = _date_part(text)
        if part not in by_part:
            by_part[part] = _day(part, pattern)
        day = _utc_day(text) if pattern == ISO and _has_offset(text) else by_part[part]
        if day is not None:
            days[text] = day
    return days


def _date_part(text: str) -> str:
    return text.strip().replace("T", " ", 1).split(" ", 1)[0]


def _has_offset(text: str) -> bool:
    time = text.strip()[10:]
    return time.endswith(("Z", "z")) or "+" in time or "-" in time


def _day(part: str, pattern: str) -> int | None:
    try:
        if pattern == ISO:
            return date.fromisoformat(part).toordinal() - EPOCH if "-" in part else None
        return datetime.strptime(part, pattern).replace(tzinfo=UTC).toordinal() - EPOCH
    except ValueError:
        return None


def _utc_day(text: str) -> int | None:
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC).toordinal() - EPOCH
    except (ValueError, OverflowError):
        return None
