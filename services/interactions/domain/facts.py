"""What a reported event becomes once its customer, or its order, is known."""

from collections.abc import Iterable
from decimal import Decimal

from services.interactions.domain.entries import ZERO
from services.interactions.domain.orders import Cancellation, Placed, Return, Standing
from services.interactions.domain.restocking import back_on_the_shelf
from shared.contracts.channels import ContractReported, InteractionReported, ReturnLine, SaleLine, SaleReported
from shared.contracts.interactions import (
    ContractChanged,
    InteractionRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)


def sums(lines: Iterable[SaleLine]) -> tuple[Decimal, Decimal]:
    """The exact value of all lines, and all their discounts. Most lines name none, and cost no arithmetic."""
    total = discount = ZERO
    for line in lines:
        total += line.value
        if "discounts" in line.model_fields_set:
            given = line.discounts
            discount += given.retail + given.coupon + given.coupon_match
    return total, discount


def sum_of(lines: Iterable[ReturnLine]) -> Decimal:
    """The exact value of all lines."""
    return sum((line.value for line in lines), ZERO)


def order_placed(sale: SaleReported, *, source: str, name: str, customer_id: str) -> OrderPlaced:
    """The order under its customer, named after the event that told it first."""
    total, discount = sums(sale.lines)
    return OrderPlaced.model_construct(
        order_id=name,
        customer_id=customer_id,
        channel=source,
        ordered_at=sale.ordered_at,
        store=sale.store,
        payment=sale.payment,
        parcels=sale.parcels,
        currency=sale.currency,
        total=total,
        discount=discount,
        lines=sale.lines,
    )


def order_returned(told: Return, placed: Placed | OrderPlaced, standing: Standing) -> OrderReturned:
    """The return under the customer of its order, named after its event. Of a void order nothing is left to lower, and
    none of its goods have cost anything.
    """
    void = standing.cancelled_at is not None
    before = (line for each in standing.restocked for line in each.lines)
    goods = [] if void else back_on_the_shelf(placed.lines, told.restocked, before)
    return OrderReturned.model_construct(
        return_id=told.event.name,
        order_id=placed.order_id,
        customer_id=placed.customer_id,
        channel=told.event.source,
        returned_at=told.at,
        ordered_at=placed.ordered_at,
        currency=told.currency,
        total=ZERO if void else told.total,
        lines=told.lines,
        restocked=goods,
    )


def order_cancelled(told: Cancellation, placed: Placed | OrderPlaced, standing: Standing) -> OrderCancelled:
    """The end of an order, with what has been returned of it before."""
    return OrderCancelled.model_construct(
        order_id=placed.order_id,
        customer_id=placed.customer_id,
        channel=told.event.source,
        cancelled_at=told.at,
        ordered_at=placed.ordered_at,
        currency=placed.currency,
        total=placed.total - standing.returned,
        returned=standing.returned,
        payment=placed.payment,
        parcels=placed.parcels,
        lines=placed.lines,
        restocked=list(standing.restocked),
        reason=told.reason,
    )


def contract_changed(
    told: ContractReported, *, source: str, name: str, customer_id: str, currency: str
) -> ContractChanged:
    """What happened to a contract under its customer, named after its event."""
    return ContractChanged.model_construct(
        change_id=name,
        customer_id=customer_id,
        channel=source,
        contract=told.contract,
        event=told.event,
        happened_at=told.happened_at,
        reason=told.reason,
        price=told.price,
        currency=told.currency or currency,
    )


def interaction_recorded(told: InteractionReported, *, source: str, name: str, customer_id: str) -> InteractionRecorded:
    """The interaction under its customer, named after its event."""
    return InteractionRecorded.model_construct(
        interaction_id=name,
        customer_id=customer_id,
        channel=source,
        kind=told.kind,
        occurred_at=told.occurred_at,
        direction=told.direction,
        campaign=told.campaign,
        minutes=told.minutes,
        summary=told.summary,
        attributes=told.attributes,
    )
