"""From what has happened to movements of the books. What an event means for profit is decided here and nowhere else."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from services.scoring.domain.profit.book import Movement
from services.scoring.domain.profit.kinds import Kind, month_of

NOTHING = Decimal(0)


class Event(NamedTuple):
    id: str
    at: datetime


class SoldLine(NamedTuple):
    """A line of a sale or of a return. `value`: what the company receives for it, the manufacturer's coupon included.

    `cost`: of the goods, where it is known; where not, the rate of its `category` applies. A return's figures are those of
    what was brought back, above zero.
    """

    value: Decimal
    retail: Decimal = NOTHING
    coupon: Decimal = NOTHING
    coupon_match: Decimal = NOTHING
    cost: Decimal | None = None
    category: str = ""

    @property
    def at_shelf(self) -> Decimal:
        return self.value + self.retail + self.coupon_match


def spent(event: Event, kind: Kind, money: Decimal, subject: str = "") -> Movement:
    """Money that the event itself tells."""
    return Movement(event.id, month_of(event.at), kind, subject, told=True, micros=_micros(money))


def used(event: Event, kind: Kind, quantity: Decimal, subject: str = "") -> Movement:
    """A quantity that has its price from the cost model: minutes of a call, a mail, a contact of a campaign."""
    return Movement(event.id, month_of(event.at), kind, subject, told=False, micros=_micros(quantity))


def sold(event: Event, lines: Iterable[SoldLine], method: str = "") -> list[Movement]:
    """A sale, paid by such a method. Goods cost what they cost also when sold cheaply: their rate is of the shelf's price."""
    lines = list(lines)
    paid = sum((line.value - line.coupon for line in lines), NOTHING)
    return [
        *_told(event, Kind.SALES, (line.at_shelf for line in lines), even_if_nothing=True),
        *_told(event, Kind.RETAIL_DISCOUNT, (line.retail for line in lines)),
        *_told(event, Kind.COUPON_MATCH, (line.coupon_match for line in lines)),
        *_told(event, Kind.COUPON, (line.coupon for line in lines)),
        *_goods(event, lines),
        used(event, Kind.PAYMENT_SHARE, paid, method),
        used(event, Kind.PAYMENT_FIXED, Decimal(1), method),
    ]


def given_back(event: Event, refund: Decimal, goods: Iterable[SoldLine] = ()) -> list[Movement]:
    """A return in the month in which it happens: money is given back, and goods that can be sold again come in."""
    handled = used(event, Kind.RETURN_HANDLING, Decimal(1))
    return [spent(event, Kind.REFUNDS, refund), handled, *restocked(event, goods)]


def restocked(event: Event, goods: Iterable[SoldLine]) -> list[Movement]:
    """What they have cost is taken back, and the return is one event more behind what is left of it."""
    return [movement.negated()._replace(events=1) for movement in _goods(event, list(goods))]


def cancelled(movements: Iterable[Movement]) -> list[Movement]:
    """What undoes movements, as if they had never been: a cancelled order, an event withdrawn. The events behind them count
    as many less, so that in the month of the event itself nothing is left of it, not even a line.
    """
    return [movement.negated() for movement in movements]


def _goods(event: Event, lines: list[SoldLine]) -> list[Movement]:
    known = _told(event, Kind.GOODS, (line.cost for line in lines if line.cost is not None))
    categories = sorted({line.category for line in lines if line.cost is None})
    at_shelf = {
        category: sum((line.at_shelf for line in lines if line.cost is None and line.category == category), NOTHING)
        for category in categories
    }
    return [*known, *(used(event, Kind.GOODS, money, category) for category, money in at_shelf.items() if money)]


def _told(event: Event, kind: Kind, amounts: Iterable[Decimal], *, even_if_nothing: bool = False) -> list[Movement]:
    money = sum(amounts, NOTHING)
    return [spent(event, kind, money)] if money or even_if_nothing else []


def _micros(quantity: Decimal) -> int:
    return int(quantity.scaleb(6).to_integral_value())
