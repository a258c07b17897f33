"""Profit over HTTP: what a customer has earned us and why, and the whole base by classes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.scoring.api.survivors import Survivors
from services.scoring.domain.classes import CLASSES, ParetoClass
from services.scoring.domain.fitting import Floats
from services.scoring.domain.profit import Group, Kind, Line, month_named, name_of
from services.scoring.domain.purchases import cents_of, money_of
from services.scoring.handlers import Earned, Look, Profits
from shared.contracts.fact import Currency, CustomerId
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
MONTH = r"^(19[7-9]|2[0-9]{2})[0-9]-(0[1-9]|1[0-2])$"
Since = Annotated[str | None, Query(pattern=MONTH, description="The first month.", examples=["2026-01"])]
Until = Annotated[str | None, Query(pattern=MONTH, description="The first month after the last.", examples=["2026-07"])]
POINTS = 20
"""Steps of the whale curve that are shown."""


class ProfitLine(BaseModel):
    """A kind of revenue or cost in a month. `amount` is its effect on profit; null: how much it cost nobody has said.

    `events` are behind it, all of that month; the history of interactions has them under the customer.
    """

    month: str
    kind: Kind
    subject: str
    group: Group
    amount: Decimal | None
    quantity: Decimal
    unit: str
    rate: Decimal | None
    events: int
    """Below 0 where a cancellation undoes what was booked in an earlier month."""


class ProfitShown(BaseModel):
    """What a customer has earned us from `since` until before `until`: revenue less all costs that are known."""

    customer_id: CustomerId
    currency: Currency
    since: str
    until: str
    revenue: Decimal
    direct_costs: Decimal
    indirect_costs: Decimal
    profit: Decimal
    unknown: list[Kind]
    """Costs that arose, and of which nobody has said how high they are: true profit is less."""
    borne_by_others: Decimal
    """Reductions that manufacturers have paid; no part of profit."""
    value_class: ParetoClass | None
    """A: the best, who together earn the first 80 %; B: the next 15 %; C: the rest; L: cost more than they brought. By the
    months of the last look through the base; null before.
    """
    lines: list[ProfitLine]


class WhalePoint(BaseModel):
    """What so many of the customers, the most profitable first, earn together."""

    customers: float
    profit: Decimal
    percent: float | None
    """Of the base's profit; null where there is none."""


class BaseProfit(BaseModel):
    """The whole base by profit, as of the last look through all books."""

    at: datetime
    currency: Currency
    since: str
    until: str
    customers: int
    profit: Decimal
    unknown: list[Kind]
    least_of_a: Decimal
    least_of_b: Decimal
    classes: dict[ParetoClass, int]
    peak: WhalePoint
    curve: list[WhalePoint]


def profit_routes(profits: Profits, survivors: Survivors) -> APIRouter:
    routes = APIRouter(tags=["profit"])

    @routes.get("/v1/profits/base", summary="The whole base by profit: classes, loss makers, the whale curve")
    async def read_profits_base(_: Reader) -> BaseProfit:
        look = await profits.costs.last_look()
        if look is None:
            raise Problem(404, detail="The books have not been looked through yet.")
        return _base(look, profits.currency)

    @routes.get("/v1/profits/{customer_id}", summary="What a customer has earned us, line by line")
    async def read_profit(_: Reader, customer_id: CustomerId, since: Since = None, until: Until = None) -> ProfitShown:
        first, end = (None if month is None else month_named(month) for month in (since, until))
        if first is not None and end is not None and first >= end:
            raise Problem(422, "Invalid period", errors=[("query.until", "comes after `since`")])
        customer_id = await survivors.root(customer_id)
        found = await profits.read(customer_id, first, end)
        if found is None:
            raise Problem(404, detail="Nothing has been heard of the customer.")
        return _profit(customer_id, found, profits.currency)

    return routes


def _profit(customer_id: str, found: Earned, currency: str) -> ProfitShown:
    told = found.statement
    return ProfitShown(
        customer_id=customer_id,
        currency=currency,
        since=name_of(told.since),
        until=name_of(told.until),
        revenue=told.total(Group.REVENUE),
        direct_costs=-told.total(Group.DIRECT),
        indirect_costs=-told.total(Group.INDIRECT),
        profit=told.profit,
        unknown=list(told.unknown),
        borne_by_others=told.borne_by_others,
        value_class=found.value_class,
        lines=[_line(line) for line in told.lines],
    )


def _line(line: Line) -> ProfitLine:
    key = line.key
    return ProfitLine(
        month=name_of(key.month),
        kind=key.kind,
        subject=key.subject,
        group=line.group,
        amount=line.amount,
        quantity=line.quantity,
        unit=line.unit,
        rate=line.rate,
        events=line.events,
    )


def _base(look: Look, currency: str) -> BaseProfit:
    cuts, curve = look.base.cuts(), look.base.whale_curve()
    places = np.searchsorted(curve.customers, np.linspace(0.0, 1.0, POINTS + 1)).clip(max=len(curve.customers) - 1)
    return BaseProfit(
        at=look.at,
        currency=currency,
        since=name_of(look.since),
        until=name_of(look.until),
        customers=look.customers,
        profit=money_of(look.base.micros),
        unknown=list(look.unknown),
        least_of_a=money_of(cuts.a),
        least_of_b=money_of(cuts.b),
        classes=_classes(look),
        peak=_point(int(np.argmax(curve.money)), curve.customers, curve.money),
        curve=[_point(int(place), curve.customers, curve.money) for place in places],
    )


def _classes(look: Look) -> dict[ParetoClass, int]:
    """To the cell, a hundredth wide, that a class begins in."""
    cells = look.base.cells
    codes = look.base.cuts().classes(look.base.least())
    return {name: int(cells.sums[codes == place, 0].sum()) for place, name in enumerate(CLASSES)}


def _point(place: int, customers: Floats, money: Floats) -> WhalePoint:
    total = float(money[-1])
    percent = round(100.0 * float(money[place]) / total, 2) if total > 0 else None
    return WhalePoint(
        customers=round(float(customers[place]), 4), profit=cents_of(float(money[place])), percent=percent
    )
