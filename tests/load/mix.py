"""What a load is made of: the channels, how they know customers, and how often what happens. Only data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

Road = Literal["kafka", "http"]
Kind = Literal["contact", "interaction", "sale"]
CARD = "loyalty-card"
"""The scheme that all channels know beside their own, so that one customer's channels come together."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel system with customer numbers of its own, and the road that it takes into the platform."""

    name: str
    road: Road
    scheme: str

    @property
    def source(self) -> str:
        return f"/channels/{self.name}"

    def identifiers(self, customer: int) -> tuple[str, str]:
        """As `scheme:value`, the channel's own first."""
        return f"{self.scheme}:{self.scheme}-{customer:07d}", f"{CARD}:card-{customer:07d}"


CHANNELS = (
    Channel("till", "kafka", "till"),
    Channel("web-shop", "http", "web"),
    Channel("call-desk", "kafka", "desk"),
    Channel("app", "http", "app"),
)


@dataclass(frozen=True, slots=True)
class Mix:
    """A recipe. Together with a seed it makes the same load on every machine."""

    customers: int = 10_000
    first_customer: int = 0
    """Customers are numbered from here, so that two loads can be about different people."""
    channels: tuple[Channel, ...] = CHANNELS
    one_channel_each: bool = False
    """A customer always speaks through the same channel, so that all of their events are in one order."""
    everybody_first: bool = False
    """The first events are one of each customer, so that nobody is new after that."""
    skew: float = 0.0
    """0: all customers alike; else the exponent of Zipf's law, the lowest number being the most active."""
    contacts: float = 0.02
    interactions: float = 0.28
    """Shares of all events; the rest are sales."""
    duplicates: float = 0.0
    """Share of events sent a second time, under the same source and id: half of them soon, half any time later."""
    reordered: float = 0.0
    """Share of the time for which a channel is held up, while the others go on; each keeps its own order."""
    poison: float = 0.0
    """Share of records that nobody can take. Channels on the HTTP road send none: they would be told at once."""
    tag: str = "load"
    """Begins all event and order ids; two loads into one platform need two tags."""
    begins: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    seconds_apart: float = 20.0
    """Between two events in the customers' world."""


def mix_on(road: Road | Literal["both"], **given: Any) -> Mix:
    """The standard channels, all of them on one road unless both are asked for."""
    channels = CHANNELS if road == "both" else tuple(replace(channel, road=road) for channel in CHANNELS)
    return replace(Mix(), channels=channels, **given)
