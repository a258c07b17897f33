"""What a contact is found by beside its name, in one number: a signature, as databases' Bloom filter indexes have. Pure.

It stands behind every key of a name in the index, so that nearly all who have not what is asked for are passed without being
read. It may take somebody for one who has it, never the other way round.

| slot | bits |
|---|---|
| party, country, city, territory, owner | a hash of the value; 0: none |
| roles | one bit each |

Stages are not told: they change with what customers do, and each change writes all keys of the name anew. Nor are entries of lists, which
of one entry alone are no keys.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from services.contacts.domain.access import Rows
from services.contacts.domain.traits import Wanted


class Slot(NamedTuple):
    """So many bits from `first` on. `many`: a contact may have several of what it tells."""

    first: int
    bits: int
    many: bool = False

    @property
    def mask(self) -> int:
        return (1 << self.bits) - 1 << self.first

    def of(self, key: str) -> int:
        told = crc32(key.encode())
        return (1 << told % self.bits if self.many else told % ((1 << self.bits) - 1) + 1) << self.first


SLOTS = {
    "party": Slot(0, 3),
    "country": Slot(3, 6),
    "city": Slot(9, 8),
    "territory": Slot(17, 8),
    "owner": Slot(25, 8),
    "role": Slot(33, 8, many=True),
}
"""What nearly everybody has stands below: the smaller the number, the fewer bytes it takes in the index."""
Passes = Callable[[int | None], bool]


def digest(traits: Iterable[str]) -> int:
    """Of the keys that a contact is found by (`traits.py`)."""
    told = 0
    for key in traits:
        if slot := SLOTS.get(key.partition("=")[0]):
            told |= slot.of(key)
    return told


def sieve(wanted: Sequence[Wanted], rows: Rows) -> Passes | None:
    """Whether whoever has a digest may have all that is wanted, and be one that the key may see. None: no digest tells.

    Who has no digest yet passes: a contact of a time before there were any.
    """
    mask = told = 0
    for one in wanted:
        if one.place == "traits" and (slot := SLOTS.get(one.name)):
            mask |= slot.of(one.key) if slot.many else slot.mask
            told |= slot.of(one.key)
    limits = [
        (SLOTS[name].mask, {SLOTS[name].of(f"{name}={value}") for value in allowed})
        for name, allowed in (("territory", rows.territories), ("owner", rows.owners))
        if allowed
    ]
    if limits:
        return lambda held: (
            held is None or (held & mask == told and all(held & where in allowed for where, allowed in limits))
        )
    return (lambda held: held is None or held & mask == told) if mask else None
