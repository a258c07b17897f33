"""Orders as far as their returns and cancellations need them, and those that are told of before the order itself."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.interactions.domain.entries import ZERO, Entry, Event, Order
from shared.contracts.channels import ReturnLine, SaleLine
from shared.contracts.interactions import OrderPlaced, Restocked

MOST_WAITING = 100
"""What may wait for one order: all of it is told in one transaction when the order comes."""
MOST_RESTOCKED = 1_000
"""Lines that can be sold again, of all returns of an order: as many as an order has. They stand in the order's document,
and all of them are told when it is cancelled.
"""


@dataclass(frozen=True, slots=True)
class Return:
    """A return as its channel told it. Whose it is, its order says."""

    event: Event
    order: str
    number: str
    at: datetime
    currency: str
    total: Decimal
    lines: list[ReturnLine]

    @property
    def restocked(self) -> list[ReturnLine]:
        """Where anything can be sold again; hardly ever."""
        return [line for line in self.lines if line.restocked]


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A cancellation as its channel told it."""

    event: Event
    order: str
    at: datetime
    reason: str | None


Reversal = Return | Cancellation


class Placed(NamedTuple):
    """As much of a stored order as what comes after it needs."""

    order_id: str
    customer_id: str
    ordered_at: datetime
    currency: str
    total: Decimal
    lines: list[SaleLine]
    payment: str | None = None
    parcels: int | None = None


@dataclass(slots=True)
class Standing:
    """Where an order stands. Without `placed` it is awaited: its channel has told what became of it, but not the order.

    Money and cancellation are of what was told so far, waiting or not.
    """

    placed: Placed | OrderPlaced | None = None
    returned: Decimal = ZERO
    cancelled_at: datetime | None = None
    waiting: tuple[Reversal, ...] = ()
    """In the order in which it was told."""
    kept: int = 0
    """How many of those waiting the store has already."""
    restocked: tuple[Restocked, ...] = ()
    """What was told of goods back on the shelf; of waiting returns it is told when the order comes."""

    @property
    def restocked_lines(self) -> int:
        """Waiting ones too."""
        waiting = (len(told.restocked) for told in self.waiting if isinstance(told, Return))
        return sum(len(each.lines) for each in self.restocked) + sum(waiting)

    def amends(self, placed: Entry) -> Entry:
        """The order's entry as it stands now."""
        return placed._replace(returned=self.returned, cancelled_at=self.cancelled_at, restocked=self.restocked)

    def take(self, told: Reversal) -> None:
        if isinstance(told, Return):
            self.returned += told.total
        else:
            self.cancelled_at = told.at


@dataclass(slots=True)
class Changes:
    """What a batch changes in orders of earlier batches, and in awaited ones. Hardly ever anything."""

    amended: dict[Order, Standing] = field(default_factory=dict)
    """Orders of earlier batches, returned or cancelled."""
    awaited: dict[Order, Standing] = field(default_factory=dict)
    """Orders for which more is waiting now."""
    arrived: dict[Order, Standing] = field(default_factory=dict)
    """Orders that were awaited and are entries of this batch, as is what has waited."""

    def __bool__(self) -> bool:
        return bool(self.amended or self.awaited or self.arrived)
