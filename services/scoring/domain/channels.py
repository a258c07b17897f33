"""By which channel a customer came, and the parameters of those who came by it.

Customers who came by the till, the web shop or the call centre buy and leave differently. The channel is that of the
earliest order ever placed, whatever has become of it: a minimum, so that any order of events, duplicates, late orders and
two customers found to be one give the same. A cancellation changes nothing: the customer came by it all the same.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from shared.moments import as_micros

UNKNOWN = 0
"""The code of customers of whom nobody knows how they came: they count as the base."""
CODE_BYTES = 7
"""A whole number of the database's: two of a thousand channels have the same code once in 10^11 installations."""


class FirstOrder(NamedTuple):
    """Moment in microseconds since 1970, the order's id, its channel. The smallest is the first: ids part the same moment."""

    at: int
    order_id: str
    channel: str

    @classmethod
    def of(cls, ordered_at: datetime, order_id: str, channel: str) -> "FirstOrder":
        return cls(as_micros(ordered_at), order_id, channel)


def earliest(one: FirstOrder | None, other: FirstOrder | None) -> FirstOrder | None:
    """Of two that are known of one customer."""
    if one is None or other is None:
        return one or other
    return min(one, other)


@lru_cache(maxsize=4096)
def code_of(channel: str) -> int:
    """A channel as a number, the same on every machine, so that a million customers are grouped without their names."""
    return int.from_bytes(blake2b(channel.encode(), digest_size=CODE_BYTES).digest()) or 1


def code(first: FirstOrder | None) -> int:
    return UNKNOWN if first is None else code_of(first.channel)


@dataclass(frozen=True)
class Channel:
    """Those who came by it. `shift`: what their parameters are more than the base's, in logarithms (`purchasing.logs_of`)."""

    name: str
    customers: int
    shift: tuple[float, ...]
