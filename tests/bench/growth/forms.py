"""Documents that the platform wrote for one customer, and the same for another: only names of equal length change.

BSON is copied as bytes, so a copy has every field, type and size of its original. Writing them is `filling`'s business.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bson.raw_bson import RawBSONDocument
from orjson import loads

from services.interactions.domain import name_of
from services.scoring.domain.population import Changes
from tests.bench.growth.people import SHOP, TILL, token

Place = tuple[str, str]
"""Service and collection."""
INT32 = struct.Struct("<i")
ENTRIES = ((TILL, "s1"), (TILL, "s2"), (SHOP, "i1"))
"""What is in the history of each customer made here: source and first part of the event's id."""
PARTITION, POSITION = b"\x10partition\x00", b"\x10position\x00"
DELIVERED_AT = b"\x04place\x00"


@dataclass(frozen=True)
class Identity:
    """All by which documents name a customer, in the order in which names are exchanged."""

    number: int
    customer_id: str
    consents: tuple[str, ...]
    """What was said about consents, as contacts puts it into the names of its rows."""

    def names(self) -> list[bytes]:
        number, customer = token(self.number), self.customer_id
        entries = [name_of(source, f"{name}-{number}") for source, name in ENTRIES]
        places = [sha256(f"{customer} {said}".encode()).hexdigest() for said in self.consents]
        return [name.encode() for name in (*places, customer, number, *entries)]


@dataclass(frozen=True)
class Form:
    """One document of the original, and where in it a place in the order of changes stands."""

    place: Place
    raw: bytes
    partition_at: int = 0
    position_at: int = 0


@dataclass(frozen=True)
class Original:
    """A customer that events have made, with all documents about it."""

    identity: Identity
    forms: tuple[Form, ...]
    orders: int
    total: str
    arrived: Changes
    """What its purchases add to the base as counts."""

    def copies(self, to: Identity, partition: int, position: int) -> list[tuple[Place, RawBSONDocument]]:
        """All its documents for another customer, at this place in the order of changes."""
        exchanged = list(zip(self.identity.names(), to.names(), strict=True))
        return [(form.place, copy(form, exchanged, partition, position)) for form in self.forms]


def copy(form: Form, exchanged: Sequence[tuple[bytes, bytes]], partition: int, position: int) -> RawBSONDocument:
    raw = form.raw
    for old, new in exchanged:
        raw = raw.replace(old, new)
    if form.position_at:
        changed = bytearray(raw)
        INT32.pack_into(changed, form.partition_at, partition)
        INT32.pack_into(changed, form.position_at, position)
        raw = bytes(changed)
    return RawBSONDocument(raw)


def form_of(place: Place, raw: bytes) -> Form:
    """A form; a view's and a receipt's with the places of the two numbers that are no names."""
    if place == ("sync", "views"):
        return Form(place, raw, after(raw, PARTITION), after(raw, POSITION))
    if place == ("sync", "deliveries"):
        # An array [partition, position]: its length, then type, index and value of each.
        first = after(raw, DELIVERED_AT) + 4 + len(b"\x100\x00")
        return Form(place, raw, first, first + INT32.size + len(b"\x101\x00"))
    return Form(place, raw)


def after(raw: bytes, name: bytes) -> int:
    if raw.count(name) != 1:
        raise ValueError(f"{name!r} is not a field of its own: {raw[:80]!r}")
    return raw.index(name) + len(name)


def sales_of(view: Mapping[str, Any]) -> tuple[int, str]:
    sales = loads(view["view"])["sales"]
    return sales["orders"], sales["total"]
