"""Order events as handlers receive them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast

from services.scoring.domain.purchases import Order
from shared.contracts.channels import SaleLine
from shared.contracts.contacts import ContactMerged, ContactRestricted
from shared.contracts.fact import Fact
from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.merges import LinkFact
from shared.messaging import Received

RESTRICTED_AT = datetime(2021, 5, 1, tzinfo=UTC)
_numbers = count(1)


def customer(number: int) -> str:
    return f"01890000-0000-7000-8000-{number:012x}"


def placed(customer_id: str, at: datetime, total: Decimal, currency: str = "USD", channel: str = "shop") -> OrderPlaced:
    return OrderPlaced(
        order_id=f"order-{next(_numbers)}",
        customer_id=customer_id,
        channel=channel,
        ordered_at=at,
        currency=currency,
        total=total,
        lines=[SaleLine(product="p", quantity=Decimal(1), value=max(total, Decimal(0)))],
    )


def fact_of(customer_id: str, order: Order, currency: str = "USD") -> OrderPlaced | OrderReturned | OrderCancelled:
    """What interactions tells of an order, or of what becomes of it."""
    if order.orders == 1:
        return placed(customer_id, order.at, order.total, currency)
    told = {"order_id": "order", "customer_id": customer_id, "channel": "shop", "ordered_at": order.at}
    money = {"currency": currency, "total": -order.total}
    later = order.at + timedelta(days=3)
    if order.orders:
        return OrderCancelled.model_validate({**told, **money, "cancelled_at": later})
    return OrderReturned.model_validate(
        {**told, **money, "return_id": f"return-{next(_numbers)}", "returned_at": later, "lines": []}
    )


def received(fact: OrderPlaced | OrderReturned | OrderCancelled) -> Received:
    return heard(fact, fact.customer_id, fact.ordered_at, "crm.sales")


def linked(fact: LinkFact) -> Received:
    """A merge or its end, under the survivor's id."""
    at = fact.merged_at if isinstance(fact, ContactMerged) else fact.unmerged_at
    return heard(fact, fact.survivor, at, "crm.contacts")


def restricted(number: int, *, restricted: bool = True) -> Received:
    """That a customer's data must not be used, or may be again."""
    fact = ContactRestricted(customer_id=customer(number), restricted=restricted, since=RESTRICTED_AT)
    return heard(fact, fact.customer_id, fact.since, "crm.contacts")


def heard(fact: Fact, subject: str, at: datetime, topic: str) -> Received:
    number = next(_numbers)
    return Received(
        id=f"event-{number}",
        source="/rapport/interactions",
        type=fact.TYPE,
        subject=subject,
        time=at,
        fact=fact,
        topic=topic,
        partition=0,
        offset=number,
        sequence=None,
        correlation_id=f"correlation-{number}",
        origin="shop",
        record=cast("Any", None),
    )


def ordered(number: int, order: Order, currency: str = "USD") -> Received:
    return received(fact_of(customer(number), order, currency))
