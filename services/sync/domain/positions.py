"""Where a channel is in the order of changes: one growing position a partition. Reading the changes is not here."""

import re
from collections.abc import Iterable, Mapping

Cursor = dict[int, int]
"""Partition -> the position up to which everything is dealt with. A partition that is missing stands at zero."""

ENCODED = re.compile(r"\d{1,5}\.\d{1,18}(-\d{1,5}\.\d{1,18})*", re.ASCII)
LONGEST = 20_000


class BadCursor(ValueError):
    """It is not one of our cursors."""


def encode(cursor: Mapping[int, int]) -> str:
    """Positions in the form of `0.15-1.22`, the id of a server-sent event."""
    return "-".join(f"{partition}.{position}" for partition, position in sorted(cursor.items())) or "0.0"


def decode(text: str) -> Cursor:
    """The cursor behind an id. Raises BadCursor."""
    if len(text) > LONGEST or not ENCODED.fullmatch(text):
        raise BadCursor(f"not a cursor: {text[:40]!r}")
    pairs = (part.split(".") for part in text.split("-"))
    return {int(partition): int(position) for partition, position in pairs}


def ahead(positions: Mapping[int, int], cursor: Mapping[int, int]) -> list[int]:
    """The partitions in which something lies beyond the cursor."""
    return sorted(p for p, position in positions.items() if position > cursor.get(p, 0))


def resolved(outcomes: Iterable[tuple[int, int, bool]]) -> Cursor:
    """How far the cursor may move: in each partition up to the first view that is not dealt with.

    `outcomes` are (partition, position, dealt with), within each partition in order.
    """
    moved: Cursor = {}
    stopped: set[int] = set()
    for partition, position, done in outcomes:
        if not done:
            stopped.add(partition)
        elif partition not in stopped:
            moved[partition] = position
    return moved
