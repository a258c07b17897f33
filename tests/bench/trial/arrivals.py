"""What a receiver writes down of each delivery, in how few bytes, and how it is read out of the delivery's body."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FORMAT = struct.Struct("<dB36siII")
CHANNELS = ("webhook", "sse")
UNKNOWN = -1
CUSTOMER = re.compile(rb'"customer_id":"([0-9a-f-]{36})"')
CARD = re.compile(rb"card-(\d{7})")
ORDERS = re.compile(rb'"orders":(\d+)')
INTERACTIONS = re.compile(rb'"interactions":(\d+)')


class Arrival(NamedTuple):
    """A customer's state was in a channel's hands at this monotonic time."""

    at: float
    channel: int
    customer_id: bytes
    customer: int
    """The load's number of the customer; UNKNOWN where the view does not hold the card yet."""
    orders: int
    interactions: int


class NotADelivery(ValueError):
    """A body without the fields that the channel has asked for."""


def read_body(body: bytes, channel: int, at: float) -> Arrival:
    """Found by their names, without decoding the JSON: receivers must cost as little as possible."""
    customer_id, card = CUSTOMER.search(body), CARD.search(body)
    if customer_id is None:
        raise NotADelivery(body[:200])
    orders, interactions = ORDERS.search(body), INTERACTIONS.search(body)
    return Arrival(
        at,
        channel,
        customer_id[1],
        int(card[1]) if card else UNKNOWN,
        int(orders[1]) if orders else 0,
        int(interactions[1]) if interactions else 0,
    )


def written(arrival: Arrival) -> bytes:
    return FORMAT.pack(*arrival)


def read(path: Path, start: int = 0) -> Iterator[Arrival]:
    """From a place in the file on; a record whose end is not written yet is left out."""
    with path.open("rb") as file:
        file.seek(start)
        found = file.read()
    whole = len(found) - len(found) % FORMAT.size
    for record in FORMAT.iter_unpack(found[:whole]):
        yield Arrival(*record)
