"""A customer's book: what was told and used per month, kind and subject, as exact sums.

Quantities are kept and not their costs. So a cost that becomes known later, or a rate that is corrected, needs no event to
be read again; and books of two customers found to be one are added up, or taken apart again, without a rest.
Who adds a movement makes sure that it is added once.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.scoring.domain.profit.kinds import KINDS, Kind
from services.scoring.domain.purchases import LIMIT_MICROS, BeyondTheBooks

ENTRY = struct.Struct("<hBiqH")
"""Month, kind and whether it was told, events, millionths, and the bytes of the subject that follows: 17 bytes."""
TOLD = 128


class Key(NamedTuple):
    month: int
    kind: Kind
    subject: str
    """A campaign, a category of goods, a way of paying: what has a rate of its own; empty for none."""
    told: bool
    """Money, told by the events; otherwise a quantity that has its price from the cost model."""


class Sum(NamedTuple):
    events: int
    micros: int


NOTHING = Sum(0, 0)


class Movement(NamedTuple):
    """One event's part of one kind: `micros` are millionths of money or of the kind's unit."""

    event: str
    month: int
    kind: Kind
    subject: str
    told: bool
    micros: int
    events: int = 1

    @property
    def key(self) -> Key:
        return Key(self.month, self.kind, self.subject, self.told)

    def negated(self) -> "Movement":
        return self._replace(micros=-self.micros, events=-self.events)


@dataclass(frozen=True, slots=True)
class Book:
    """No sum is without events and without money: what was undone has left no trace."""

    sums: Mapping[Key, Sum] = field(default_factory=dict)

    @classmethod
    def of(cls, movements: Iterable[Movement]) -> "Book":
        return cls(_within_books(_added({}, ((one.key, Sum(one.events, one.micros)) for one in movements))))

    def plus(self, other: "Book") -> "Book":
        """Both together: new movements, or a second customer who turns out to be the same."""
        return Book(_within_books(_added(self.sums, other.sums.items())))

    def minus(self, other: "Book") -> "Book":
        """Without a part of it: a customer who turns out to be another one after all."""
        return Book(_added(self.sums, ((key, Sum(-sum_.events, -sum_.micros)) for key, sum_ in other.sums.items())))

    def by_month(self) -> dict[int, "Book"]:
        """A book for each month. An event changes one of them, so a service may keep them apart and load but that."""
        parts: dict[int, dict[Key, Sum]] = {}
        for key, total in self.sums.items():
            parts.setdefault(key.month, {})[key] = total
        return {month: Book(sums) for month, sums in parts.items()}

    def within(self, since: int, until: int) -> "Book":
        """The months from `since` until before `until`."""
        return Book({key: sum_ for key, sum_ in self.sums.items() if since <= key.month < until})

    def pack(self) -> bytes:
        """17 bytes a sum, and its subject; the same book gives the same bytes."""
        return b"".join([_entry(key, self.sums[key]) for key in sorted(self.sums)])

    @classmethod
    def unpack(cls, packed: bytes) -> "Book":
        sums, at = {}, 0
        while at < len(packed):
            month, kind, events, micros, length = ENTRY.unpack_from(packed, at)
            at += ENTRY.size + length
            subject = packed[at - length : at].decode()
            sums[Key(month, KINDS[kind % TOLD], subject, kind >= TOLD)] = Sum(events, micros)
        return cls(sums)


def _added(sums: Mapping[Key, Sum], more: Iterable[tuple[Key, Sum]]) -> dict[Key, Sum]:
    together = dict(sums)
    for key, (events, micros) in more:
        known = together.get(key, NOTHING)
        total = Sum(known.events + events, known.micros + micros)
        if total == NOTHING:
            together.pop(key, None)
        else:
            together[key] = total
    return together


def _within_books(sums: dict[Key, Sum]) -> dict[Key, Sum]:
    if any(abs(total.micros) >= LIMIT_MICROS for total in sums.values()):
        raise BeyondTheBooks("a month of the customer's would exceed 18 digits")
    return sums


def _entry(key: Key, total: Sum) -> bytes:
    subject, kind = key.subject.encode(), KINDS.index(key.kind) + TOLD * key.told
    return ENTRY.pack(key.month, kind, total.events, total.micros, len(subject)) + subject
