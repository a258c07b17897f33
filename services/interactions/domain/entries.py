"""Lines of the history: what was recorded, under which names, and the figures that count them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from shared.contracts.fact import Identifier
from shared.contracts.interactions import (
    ContractChanged,
    InteractionRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    Restocked,
)

ZERO = Decimal(0)
ORDER, RETURN, CANCELLATION = "order", "order-return", "order-cancellation"
"""The kinds under which orders, and what becomes of them, stand in the history."""

CONTRACT = "contract-"
"""Before the event of a contract, the kind under which it stands in the history."""

Recorded = InteractionRecorded | OrderPlaced | OrderReturned | OrderCancelled | ContractChanged

Identity = tuple[str, ...]
"""All identifiers by which one event names its customer, in the event's order, each as `scheme:value`."""

Order = tuple[str, str]
"""A channel and its own number of an order."""


class Event(NamedTuple):
    """How a channel told something: its own name, its event's id, and what a fact that follows from it carries on."""

    source: str
    id: str
    correlation_id: str
    time: datetime

    @property
    def name(self) -> str:
        return name_of(self.source, self.id)


class Entry(NamedTuple):
    """One line of the history: what was recorded, and under which names the channel told it."""

    fact: Recorded
    event_id: str
    """The CloudEvents id that the channel gave its event."""
    order: str | None = None
    """The channel's own number of the order that this is, or that has been returned or cancelled."""
    number: str | None = None
    """The channel's own number of the return, for returns."""
    returned: Decimal = ZERO
    """Of an order: the money given back for returns since."""
    cancelled_at: datetime | None = None
    restocked: tuple[Restocked, ...] = ()
    """Of an order: what of it is back on the shelf."""
    """Of an order: when it became void."""

    @property
    def name(self) -> str:
        match self.fact:
            case OrderPlaced():
                return self.fact.order_id
            case InteractionRecorded():
                return self.fact.interaction_id
            case OrderReturned():
                return self.fact.return_id
            case ContractChanged():
                return self.fact.change_id
        return name_of(self.fact.channel, self.event_id)

    @property
    def kind(self) -> str:
        match self.fact:
            case OrderPlaced():
                return ORDER
            case InteractionRecorded():
                return self.fact.kind
            case OrderReturned():
                return RETURN
            case ContractChanged():
                return CONTRACT + self.fact.event
        return CANCELLATION

    @property
    def at(self) -> datetime:
        match self.fact:
            case OrderPlaced():
                return self.fact.ordered_at
            case InteractionRecorded():
                return self.fact.occurred_at
            case OrderReturned():
                return self.fact.returned_at
            case ContractChanged():
                return self.fact.happened_at
        return self.fact.cancelled_at


@dataclass(slots=True)
class Tally:
    """What a batch adds to the service's figures."""

    interactions: int = 0
    orders: int = 0
    """Orders less those cancelled."""
    total: Decimal = field(default_factory=Decimal)
    """Money of orders less what was returned and voided."""
    duplicates: int = 0
    """Events dropped because their (source, id) is in the history already."""
    duplicate_orders: int = 0
    """Events dropped because their channel has told the same order under another event id before: the first stays."""
    returns: int = 0
    returned: Decimal = field(default_factory=Decimal)
    cancelled: int = 0
    duplicate_returns: int = 0
    """As with orders: the same number of a return under another event id."""
    duplicate_cancellations: int = 0
    """Events dropped because their order is cancelled already."""
    waiting: int = 0
    """Returns and cancellations that are told of an order that is not; less those whose order has come."""
    contracts: int = 0
    """What has happened to contracts."""

    def add(self, entry: Entry) -> None:
        match entry.fact:
            case InteractionRecorded():
                self.interactions += 1
            case OrderPlaced():
                self.orders += 1
                self.total += entry.fact.total
            case OrderReturned():
                self.returns += 1
                self.returned += entry.fact.given_back
                self.total -= entry.fact.total
            case OrderCancelled():
                self.cancelled += 1
                self.orders -= 1
                self.total -= entry.fact.total
            case ContractChanged():
                self.contracts += 1


def name_of(*parts: str) -> str:
    """A name of 32 hex digits for what the parts identify together: the same parts, the same name, on every try."""
    return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def identity_of(identifiers: Iterable[Identifier]) -> Identity:
    return tuple(f"{identifier.scheme}:{identifier.value}" for identifier in identifiers)
