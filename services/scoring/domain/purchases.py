"""A customer's purchases: one record per day on which they bought, from which everything else follows.

Kept by day and not as running sums, so that orders in any order, late ones, returned and cancelled ones, and two
customers found to be one give exactly what they would have given in time order. Nothing here knows a model.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZERO = Decimal(0)
CENT = Decimal("0.01")
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000
LIMIT_MICROS = 10**18
"""Money that an `Amount` can still say (18 digits, 6 of them decimals), in millionths."""
RECORD = struct.Struct("<iiqII")


class BeyondTheBooks(ValueError):
    """The customer's money would no longer fit an amount."""


class Order(NamedTuple):
    """An order; or with the signs turned, what is taken from one again."""

    at: datetime
    """When the order was placed, also of what is taken from it: what it changes is that day."""
    total: Decimal
    orders: int = 1

    @classmethod
    def returned(cls, at: datetime, total: Decimal) -> "Order":
        """Of the order placed then, so much money was given back. It stays an order."""
        return cls(at, -total, 0)

    @classmethod
    def cancelled(cls, at: datetime, total: Decimal) -> "Order":
        """The order placed then is void, and with it so much money, which is what was left of it."""
        return cls(at, -total, -1)


class PurchaseDay(NamedTuple):
    """All that was bought on one UTC calendar day and not taken back: days since 1970, money in millionths.

    First and last time of day are of all orders ever placed on it. Days add up in any order: they are a commutative
    group in orders and money, and a semilattice in the times.
    """

    day: int
    orders: int
    micros: int
    first_ms: int
    last_ms: int

    def plus(self, other: "PurchaseDay") -> "PurchaseDay":
        micros = self.micros + other.micros
        if not -LIMIT_MICROS < micros < LIMIT_MICROS:
            raise BeyondTheBooks("the money of one day would exceed 18 digits")
        first, last = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        return PurchaseDay(self.day, self.orders + other.orders, micros, first, last)


@dataclass(frozen=True, slots=True)
class Purchases:
    """Records of days, sorted, each day once. A day of which every order is void is kept, and counts for nothing."""

    records: tuple[PurchaseDay, ...] = ()
    days: tuple[PurchaseDay, ...] = field(init=False, compare=False)
    """The purchase days: those with an order left."""
    micros: int = field(init=False, compare=False)
    """All the money of these days, in millionths."""
    frequency: int = field(init=False, compare=False)
    """x: repeat purchase days, those after the first; 0 without any."""

    def __post_init__(self) -> None:
        days = tuple([record for record in self.records if record.orders > 0])
        object.__setattr__(self, "days", days)
        object.__setattr__(self, "micros", sum([day.micros for day in days]))
        object.__setattr__(self, "frequency", len(days) - 1 if days else 0)

    @classmethod
    def of(cls, orders: Iterable[Order]) -> "Purchases":
        by_day: dict[int, PurchaseDay] = {}
        for order in orders:
            bought = _single(order)
            known = by_day.get(bought.day)
            by_day[bought.day] = known.plus(bought) if known else bought
        return _within_books(cls(tuple(by_day[day] for day in sorted(by_day))))

    def plus(self, other: "Purchases") -> "Purchases":
        """Both together: new orders of the same customer, or a second customer who turns out to be the same."""
        if not other.records:
            return self
        if not self.records:
            return other
        if self.records[-1].day < other.records[0].day:
            return _within_books(Purchases(self.records + other.records))
        by_day = {day.day: day for day in self.records}
        for day in other.records:
            by_day[day.day] = by_day[day.day].plus(day) if day.day in by_day else day
        return _within_books(Purchases(tuple(by_day[day] for day in sorted(by_day))))

    def until(self, day: int) -> "Purchases":
        """What was bought until the end of that day, less what has been returned or cancelled of it until today."""
        return Purchases(tuple(known for known in self.records if known.day <= day))

    @property
    def orders(self) -> int:
        return sum([day.orders for day in self.days])

    @property
    def money(self) -> Decimal:
        return money_of(self.micros)

    @property
    def first_day(self) -> int:
        """Only of customers with a purchase day; as are last day and times."""
        return self.days[0].day

    @property
    def last_day(self) -> int:
        return self.days[-1].day

    @property
    def recency(self) -> int:
        """t_x: the age in days at the last purchase; 0 without any."""
        return self.last_day - self.first_day if self.days else 0

    @property
    def last_gap(self) -> float:
        """Days between the last two purchase days; NaN without a repeat purchase."""
        return self.days[-1].day - self.days[-2].day if self.frequency else math.nan

    @property
    def repeat_spend(self) -> float:
        """z: mean money of a repeat purchase day; 0 without one. The first is left out, as the model demands."""
        repeats = self.frequency
        return (self.micros - self.days[0].micros) / repeats / 1e6 if repeats else 0.0

    @property
    def first_at(self) -> datetime:
        return _moment(self.days[0].day, self.days[0].first_ms)

    @property
    def last_at(self) -> datetime:
        return _moment(self.days[-1].day, self.days[-1].last_ms)

    def pack(self) -> bytes:
        """24 bytes a record."""
        return b"".join([RECORD.pack(*record) for record in self.records])

    @classmethod
    def unpack(cls, packed: bytes) -> "Purchases":
        return cls(tuple(map(PurchaseDay._make, RECORD.iter_unpack(packed))))


def day_of(moment: datetime) -> int:
    """The UTC calendar day, counted from 1970-01-01."""
    return (moment - EPOCH).days


def money_of(micros: int) -> Decimal:
    """Millionths as an amount: two decimals where they say it all, as people write money."""
    cents, rest = divmod(micros, 10_000)
    return Decimal(micros).scaleb(-6) if rest else Decimal(cents).scaleb(-2)


def cents_of(amount: float) -> Decimal:
    """A figure that is no exact sum, as people write money."""
    return Decimal(float(amount)).quantize(CENT)


def _within_books(purchases: Purchases) -> Purchases:
    if not -LIMIT_MICROS < purchases.micros < LIMIT_MICROS:
        raise BeyondTheBooks("the customer's money would exceed 18 digits")
    return purchases


def _single(order: Order) -> PurchaseDay:
    day, within = divmod((order.at - EPOCH) // MILLISECOND, DAY_MS)
    return PurchaseDay(day, order.orders, int(order.total.scaleb(6)), within, within)


def _moment(day: int, within_ms: int) -> datetime:
    return EPOCH + timedelta(days=day, milliseconds=within_ms)
