"""Order events as handlers receive them."""

from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any, cast

from services.scoring.domain.purchases import Order
from shared.contracts.channels import SaleLine
from shared.contracts.interactions import OrderPlaced
from shared.messaging import Received

_numbers = count(1)


def customer(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012x}"


def placed(customer_id: str, at: datetime, total: Decimal, currency: str = "USD") -> OrderPlaced:
    return OrderPlaced(
        order_id=f"order-{next(_numbers)}",
        customer_id=customer_id,
        channel="shop",
        ordered_at=at,
        currency=currency,
        total=total,
        lines=[SaleLine(product="p", quantity=Decimal(1), value=total)],
    )


def received(fact: OrderPlaced) -> Received:
    number = next(_numbers)
    return Received(
        id=f"event-{number}",
        source="/rapport/interactions",
        type=fact.TYPE,
        subject=fact.customer_id,
        time=fact.ordered_at,
        fact=fact,
        topic="crm.sales",
        partition=0,
        offset=number,
        sequence=None,
        correlation_id=f"correlation-{number}",
        origin="shop",
        record=cast("Any", None),
    )


def ordered(number: int, order: Order, currency: str = "USD") -> Received:
    return received(placed(customer(number), order.at, order.total, currency))
