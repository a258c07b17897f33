"""Where a channel is in the order of changes: one growing position a partition. Reading the changes is not here."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

Cursor = dict[int, int]
"""Partition -> the position up to which everything is dealt with. A partition that is missing stands at zero."""

EVENT_ID = re.compile(r"(\d{1,9}):(\d{1,5}\.\d{1,18}(?:-\d{1,5}\.\d{1,18})*)?", re.ASCII)
LONGEST = 20_000


class BadEventId(ValueError):
    """It is not one of our event ids."""


class Resume(NamedTuple):
    """What a stream's client says of itself with the id of the last event it has seen."""

    generation: int
    cursor: Cursor


def event_id(generation: int, cursor: Mapping[int, int]) -> str:
    """Generation and positions in the form of `1:0.15-1.22`."""
    return f"{generation}:" + "-".join(f"{partition}.{position}" for partition, position in sorted(cursor.items()))


def read_event_id(text: str) -> Resume:
    """What an event id says. Raises BadEventId."""
    match = EVENT_ID.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise BadEventId(f"not an event id of ours: {text[:40]!r}")
    pairs = (part.split(".") for part in (match[2] or "").split("-") if part)
    return Resume(int(match[1]), {int(partition): int(position) for partition, position in pairs})


def start_of(resume: Resume | None, generation: int, known: Cursor, tails: Mapping[int, int]) -> Cursor:
    """Where a stream begins: where its client is, else where its channel is known to be.

    After a replay was asked for, the client's place is void, but what it has not seen is still owed. A place beyond
    the end comes from another life of the database, and says nothing.
    """
    if resume is None:
        return dict(known)
    cursor = {p: position for p, position in resume.cursor.items() if position <= tails.get(p, 0)}
    if resume.generation == generation:
        return cursor
    return {p: min(position, known.get(p, 0)) for p, position in cursor.items()}


def ahead(positions: Mapping[int, int], cursor: Mapping[int, int]) -> list[int]:
    """The partitions in which something lies beyond the cursor."""
    return sorted(p for p, position in positions.items() if position > cursor.get(p, 0))


def emptied(cursor: Cursor, tails: Mapping[int, int], found: Sequence[tuple[int, int]], limit: int) -> Cursor:
    """How far the cursor may move in partitions where nothing was found, having looked for at most `limit` changes.

    Their last customers have changed again, in another partition: that happens while partitions are being added.
    """
    if len(found) >= limit:
        return {}
    met = {partition for partition, _ in found}
    return {p: tails[p] for p in ahead(tails, cursor) if p not in met}


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
