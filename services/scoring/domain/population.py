"""The base as counts: what the models are refitted from, and what says where a customer stands among all.

Counts by cell, to which a customer's change is two entries: taken away as they were, added as they are. So they are the
same after any order of changes, and neither their size nor the cost of reading them grows with the customers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from services.scoring.domain import histogram, rfm
from services.scoring.domain.bands import Codes, Flags
from services.scoring.domain.classes import Cuts, ProfitBase
from services.scoring.domain.histogram import Histogram, Ints, Rows
from services.scoring.domain.mbg_nbd import MIN_CUSTOMERS
from services.scoring.domain.purchases import Purchases

NOWHERE = bytes([0, 0, 0, 255])


class Changes(NamedTuple):
    """Customers before and after, as entries of each count; arrays with one row an entry, the first column +1 or -1."""

    traits: Rows
    """(entries, 6): see `histogram.moves`."""
    places: Rows
    """(entries, 4): see `rfm.moves`."""
    earned: Ints
    """(entries, 2): what they have brought, in millionths."""


def changes(customers: Iterable[tuple[Purchases, Purchases]]) -> Changes:
    """Of customers before and after."""
    pairs = list(customers)
    signed = [(sign, one.micros) for pair in pairs for sign, one in zip((-1, 1), pair, strict=True) if one.days]
    return Changes(histogram.moves(pairs), rfm.moves(pairs), np.array(signed, dtype=np.int64).reshape(-1, 2))


def together(some: Sequence[Changes]) -> Changes:
    """Of several batches, at least one."""
    return Changes(*(np.concatenate(parts) for parts in zip(*some, strict=True)))


@dataclass(frozen=True)
class Population:
    """All three counts of one base."""

    histogram: Histogram = field(default_factory=Histogram)
    places: rfm.Base = field(default_factory=rfm.Base)
    earned: ProfitBase = field(default_factory=ProfitBase)

    def plus(self, some: Sequence[Changes]) -> "Population":
        if not some:
            return self
        traits, places, earned = together(some)
        return Population(
            self.histogram.plus(traits), self.places.plus(places), self.earned.plus(earned[:, 0], earned[:, 1])
        )

    @property
    def customers(self) -> int:
        return self.histogram.customers

    @property
    def standing(self) -> "Standing | None":
        """None as long as there are too few customers for a fifth of them to say anything."""
        if self.customers < MIN_CUSTOMERS:
            return None
        return Standing(rfm.Quintiles(self.places), self.earned.cuts())

    def pack(self) -> dict[str, Any]:
        return {"histogram": self.histogram.pack(), "places": self.places.pack(), "earned": self.earned.pack()}

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> "Population":
        return cls(
            Histogram.unpack(packed["histogram"]),
            rfm.Base.unpack(packed["places"]),
            ProfitBase.unpack(packed["earned"]),
        )


class Ranked(NamedTuple):
    """Where customers stand: codes (customers, 3) from 1 to 5 for recency, frequency and money, and positions in CLASSES;
    0 and -1 where nothing is known.
    """

    codes: Codes
    classes: Codes

    @classmethod
    def nowhere(cls, customers: int) -> "Ranked":
        return cls(np.zeros((customers, 3), np.int8), np.full(customers, -1, np.int8))

    def at(self, places: Sequence[int] | Ints) -> "Ranked":
        """Some of the customers."""
        return Ranked(self.codes[places], self.classes[places])

    def pack(self) -> list[bytes]:
        """Four bytes a customer."""
        return [row.tobytes() for row in np.column_stack([self.codes, self.classes]).astype(np.int8)]

    @classmethod
    def unpack(cls, packed: Iterable[bytes | None]) -> "Ranked":
        """None: nothing is known."""
        table = np.frombuffer(b"".join(one or NOWHERE for one in packed), np.int8).reshape(-1, 4)
        return cls(table[:, :3], table[:, 3])

    def changed(self, other: "Ranked") -> Flags:
        """Whose place differs."""
        differs: Flags = (self.codes != other.codes).any(axis=1) | (self.classes != other.classes)
        return differs


@dataclass(frozen=True)
class Standing:
    """A base's quintiles and classes as of a refit, against which customers are held until the next one."""

    quintiles: rfm.Quintiles
    cuts: Cuts

    def of(self, cells: Ints, micros: Ints, told: Ranked | None = None) -> Ranked:
        """Customers by their cells (see `rfm.cells`) and what they have brought; with `told`, clear changes only."""
        return Ranked(
            self.quintiles.codes(cells, told.codes if told else None),
            self.cuts.classes(micros, told.classes if told else None),
        )

    def pack(self) -> dict[str, Any]:
        return {"places": self.quintiles.base.pack(), "cuts": [self.cuts.a, self.cuts.b]}

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> "Standing":
        return cls(rfm.Quintiles(rfm.Base.unpack(packed["places"])), Cuts(*packed["cuts"]))
