"""The profitability of a customer over past months, line by line, and what is not known of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from services.scoring.domain.profit.book import Book, Key, Movement, Sum
from services.scoring.domain.profit.costs import CostModel
from services.scoring.domain.profit.kinds import NATURE, Group, Kind
from services.scoring.domain.purchases import money_of

MICRO = Decimal("0.000001")


@dataclass(frozen=True)
class Line:
    """A kind's part of a month. `amount` is its effect on profit: costs are below zero; None: unknown.

    `quantity` in the kind's unit and `rate` in money per unit; where the events told the money, that is the quantity and
    there is no rate. `events`: how many are behind it, all of them in the key's month; `behind` names them. One that undoes
    another of an earlier month counts -1. Overhead stands on those of its driver.
    """

    key: Key
    amount: Decimal | None
    quantity: Decimal
    rate: Decimal | None
    events: int

    @property
    def group(self) -> Group:
        return NATURE[self.key.kind].group

    @property
    def unit(self) -> str:
        return "money" if self.key.told else NATURE[self.key.kind].unit


@dataclass(frozen=True)
class Statement:
    """Months from `since` until before `until`."""

    since: int
    until: int
    lines: tuple[Line, ...]

    def total(self, *groups: Group) -> Decimal:
        """What is known of such lines; of all without a group."""
        return sum((line.amount or Decimal(0) for line in self.lines if not groups or line.group in groups), Decimal(0))

    def of(self, kind: Kind) -> Decimal | None:
        """What is known of a kind; None if any of it is not."""
        amounts = [line.amount for line in self.lines if line.key.kind is kind]
        return None if None in amounts else sum((a for a in amounts if a is not None), Decimal(0))

    @property
    def profit(self) -> Decimal:
        """Revenue less all known costs; as long as some are unknown, more than the true profit."""
        return self.total()

    @property
    def micros(self) -> int:
        return int(self.profit.scaleb(6))

    @property
    def unknown(self) -> tuple[Kind, ...]:
        """Costs that certainly arose, and of which nobody has said how high they are."""
        return tuple(dict.fromkeys(line.key.kind for line in self.lines if line.amount is None))

    @property
    def borne_by_others(self) -> Decimal:
        """Reductions that the customer had and others paid for: no part of profit."""
        others = (line.quantity for line in self.lines if line.group is Group.BORNE_BY_OTHERS)
        return sum(others, Decimal(0))


def statement(book: Book, costs: CostModel, since: int, until: int) -> Statement:
    """Of the months from `since` until before `until`, at the rates that are valid in each."""
    sums = book.within(since, until).sums
    lines = [_line(key, sums[key], costs) for key in sorted(sums)]
    return Statement(since, until, (*lines, *_overhead(lines, costs)))


def behind(line: Line, movements: Iterable[Movement]) -> list[str]:
    """The ids of the events that made a line, from a customer's movements read again."""
    return [movement.event for movement in movements if movement.key == line.key]


def _line(key: Key, total: Sum, costs: CostModel) -> Line:
    group, quantity = NATURE[key.kind].group, money_of(total.micros)
    if group is Group.BORNE_BY_OTHERS:
        return Line(key, Decimal(0), quantity, None, total.events)
    if key.told:
        amount = quantity if group is Group.REVENUE else -quantity
        return Line(key, amount, quantity, None, total.events)
    rate = costs.rate(key.kind, key.subject, key.month)
    return Line(key, _cost(quantity, rate), quantity, rate, total.events)


def _overhead(lines: Sequence[Line], costs: CostModel) -> list[Line]:
    """A line for each month in which anything happened; unknown where the model says nothing about overhead."""
    months = sorted({line.key.month for line in lines} - {line.key.month for line in lines if _is_overhead(line)})
    return [line for month in months if (line := _overhead_of(month, lines, costs)).quantity or line.amount is None]


def _overhead_of(month: int, lines: Iterable[Line], costs: CostModel) -> Line:
    key = Key(month, Kind.OVERHEAD, "", told=False)
    if costs.overhead is None:
        return Line(key, None, Decimal(0), None, 0)
    drivers = [line for line in lines if line.key.month == month and line.key.kind is costs.overhead.driver]
    events = sum(line.events for line in drivers)
    unit = NATURE[costs.overhead.driver].unit
    units = sum((line.quantity for line in drivers if line.unit == unit), Decimal(0))
    units = Decimal(events) if costs.overhead.by == "events" else units
    rate = costs.rate(Kind.OVERHEAD, "", month)
    return Line(key, _cost(units, rate), units, rate, events)


def _is_overhead(line: Line) -> bool:
    return line.key.kind is Kind.OVERHEAD


def _cost(quantity: Decimal, rate: Decimal | None) -> Decimal | None:
    """Rounded to the millionth, half to even, line by line, so that lines add up to their sum."""
    if rate is None:
        return None if quantity else Decimal(0)
    with localcontext(prec=60):
        return -(quantity * rate).quantize(MICRO)
