"""A customer's purchases: one record per day on which they bought, from which everything else follows.

Kept by day and not as running sums, so that orders in any order, late ones, and two customers found to be one give
exactly what they would have given in time order. Nothing here knows a model.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000
LIMIT_MICROS = 10**18
"""Money that an `Amount` can still say (18 digits, 6 of them decimals), in millionths."""
RECORD = struct.Struct("<iIqII")


class BeyondTheBooks(ValueError):
    """The customer's money would no longer fit an amount."""


class Order(NamedTuple):
    at: datetime
    total: Decimal


class PurchaseDay(NamedTuple):
    """All that was bought on one UTC calendar day: days since 1970, money in millionths, first and last time of day."""

    day: int
    orders: int
    micros: int
    first_ms: int
    last_ms: int

    def plus(self, other: "PurchaseDay") -> "PurchaseDay":
        first, last = min(self.first_ms, other.first_ms), max(self.last_ms, other.last_ms)
        return PurchaseDay(self.day, self.orders + other.orders, self.micros + other.micros, first, last)


@dataclass(frozen=True, slots=True)
class Purchases:
    """Purchase days, sorted, each day once."""

    days: tuple[PurchaseDay, ...] = ()
    micros: int = field(init=False)
    """All the money, in millionths."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "micros", sum([day.micros for day in self.days]))

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
        if not other.days:
            return self
        if not self.days:
            return other
        if self.days[-1].day < other.days[0].day:
            return _within_books(Purchases(self.days + other.days))
        by_day = {day.day: day for day in self.days}
        for day in other.days:
            by_day[day.day] = by_day[day.day].plus(day) if day.day in by_day else day
        return _within_books(Purchases(tuple(by_day[day] for day in sorted(by_day))))

    def until(self, day: int) -> "Purchases":
        """What was known at the end of that day."""
        return Purchases(tuple(known for known in self.days if known.day <= day))

    @property
    def orders(self) -> int:
        return sum([day.orders for day in self.days])

    @property
    def money(self) -> Decimal:
        return money_of(self.micros)

    @property
    def frequency(self) -> int:
        """x: repeat purchase days, those after the first."""
        return len(self.days) - 1

    @property
    def first_day(self) -> int:
        return self.days[0].day

    @property
    def recency(self) -> int:
        """t_x: the age in days at the last purchase."""
        return self.days[-1].day - self.days[0].day

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
        """24 bytes a day."""
        return b"".join([RECORD.pack(*day) for day in self.days])

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


def _within_books(purchases: Purchases) -> Purchases:
    if not -LIMIT_MICROS < purchases.micros < LIMIT_MICROS:
        raise BeyondTheBooks("the customer's money would exceed 18 digits")
    return purchases


def _single(order: Order) -> PurchaseDay:
    day, within = divmod((order.at - EPOCH) // MILLISECOND, DAY_MS)
    return PurchaseDay(day, 1, int(order.total.scaleb(6)), within, within)


def _moment(day: int, within_ms: int) -> datetime:
    return EPOCH + timedelta(days=day, milliseconds=within_ms)
