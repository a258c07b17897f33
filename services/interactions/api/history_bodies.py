"""What the history and its orders look like over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.interactions.domain import ORDER, Entry
from shared.contracts.channels import ContractEvent, ReturnLine, SaleLine
from shared.contracts.fact import Code, CustomerId
from shared.contracts.interactions import (
    ContractChanged,
    InteractionRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
)

Returned = Annotated[Decimal, Field(description="What the customer has got back for returns.")]
CancelledAt = Annotated[datetime | None, Field(description="Since when it is void; null: it is not.")]
Name = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", examples=["5f2b8a0c3d9e4f718293a4b5c6d7e8f9"])]


class OrderFigures(BaseModel):
    """An order as it stands in the history; `GET /v1/orders/{id}` has its lines."""

    order_id: str
    number: Annotated[str, Field(description="The channel's own number of the order.")]
    currency: str
    total: Decimal
    discount: Decimal
    lines: Annotated[int, Field(description="How many lines it has.")]
    returned: Returned
    cancelled_at: CancelledAt


class ReturnFigures(BaseModel):
    """What has come back of an order."""

    order_id: str
    order: Annotated[str, Field(description="The channel's own number of the order.")]
    number: Annotated[str, Field(description="The channel's own number of the return.")]
    currency: str
    total: Annotated[Decimal, Field(description="What the customer has got back.")]
    lines: list[ReturnLine]


class CancellationFigures(BaseModel):
    """Which order is void."""

    order_id: str
    order: Annotated[str, Field(description="The channel's own number of the order.")]
    currency: str
    total: Annotated[Decimal, Field(description="The order's total less what had been returned of it.")]
    reason: str | None = None


class ContractFigures(BaseModel):
    """What happened to which contract."""

    contract: Annotated[str, Field(description="The channel's own number of the contract.")]
    event: ContractEvent
    reason: str | None = None
    price: Annotated[Decimal | None, Field(description="What the customer pays a month from now on.")] = None
    currency: str


class InteractionItem(BaseModel):
    """One line of a customer's history. Orders are in it too, with kind `order`, and what became of them, with kinds
    `order-return` and `order-cancellation`; and what happened to contracts, with kinds `contract-started` and so on.
    """

    id: Name
    customer_id: CustomerId
    kind: Code
    channel: str
    event_id: Annotated[str, Field(description="The id of the channel's event that told it.")]
    occurred_at: datetime
    direction: Literal["inbound", "outbound"] | None = None
    campaign: str | None = None
    minutes: Decimal | None = None
    summary: str | None = None
    attributes: dict[str, Any] = {}
    order: OrderFigures | None = None
    order_return: ReturnFigures | None = None
    order_cancellation: CancellationFigures | None = None
    contract: ContractFigures | None = None


class OrderItem(BaseModel):
    """An order with its lines."""

    order_id: Name
    number: Annotated[str, Field(description="The channel's own number of the order.")]
    customer_id: CustomerId
    channel: str
    event_id: str
    ordered_at: datetime
    store: str | None = None
    payment: str | None = None
    parcels: int | None = None
    currency: str
    total: Decimal
    discount: Decimal
    lines: list[SaleLine]
    returned: Returned
    cancelled_at: CancelledAt


class Summary(BaseModel):
    """The service's figures since its first event."""

    interactions: int
    orders: Annotated[int, Field(description="Without those cancelled.")]
    returns: int
    cancelled: Annotated[int, Field(description="Orders that are void.")]
    contracts: Annotated[int, Field(description="What has happened to contracts.")]
    waiting: Annotated[
        int, Field(description="Returns and cancellations told of orders that are not; they wait for their order.")
    ]
    duplicates: Annotated[int, Field(description="Events that were told again under the same source and id.")]
    duplicate_orders: Annotated[int, Field(description="Orders that were told again under another event id.")]
    duplicate_returns: Annotated[int, Field(description="Returns that were told again under another event id.")]
    duplicate_cancellations: Annotated[int, Field(description="Cancellations of orders that were cancelled already.")]


class OrdersSummary(BaseModel):
    """All orders in figures."""

    orders: Annotated[int, Field(description="Without those cancelled.")]
    total: Annotated[
        Decimal, Field(description="Their exact sum less all that was returned, in the company's currency.")
    ]
    returned: Annotated[Decimal, Field(description="What customers have got back.")]
    cancelled: Annotated[int, Field(description="Orders that are void.")]
    currency: str


def history_item(entry: Entry) -> dict[str, Any]:
    """A line of the history with all that is known of it: an order with its lines."""
    item = interaction_item(entry) if entry.kind != ORDER else order_item(entry)
    return {"kind": entry.kind, **item.model_dump(mode="json", exclude_none=True)}


def interaction_item(entry: Entry) -> InteractionItem:
    fact = entry.fact
    shared: dict[str, Any] = {
        "id": entry.name,
        "customer_id": fact.customer_id,
        "kind": entry.kind,
        "channel": fact.channel,
        "event_id": entry.event_id,
        "occurred_at": entry.at,
    }
    match fact:
        case InteractionRecorded():
            told = fact.model_dump(include={"direction", "campaign", "minutes", "summary", "attributes"})
            return InteractionItem(**shared, **told)
        case OrderPlaced():
            return InteractionItem(**shared, order=_order_figures(fact, entry))
        case OrderReturned():
            return InteractionItem(**shared, order_return=_return_figures(fact, entry))
        case OrderCancelled():
            return InteractionItem(**shared, order_cancellation=_cancellation_figures(fact, entry))
        case ContractChanged():
            told = fact.model_dump(include={"contract", "event", "reason", "price", "currency"})
            return InteractionItem(**shared, contract=ContractFigures(**told))


def _order_figures(fact: OrderPlaced, entry: Entry) -> OrderFigures:
    told = fact.model_dump(include={"order_id", "currency", "total", "discount"})
    return OrderFigures(lines=len(fact.lines), **_of_order(entry), **told)


def _return_figures(fact: OrderReturned, entry: Entry) -> ReturnFigures:
    told = fact.model_dump(include={"order_id", "currency", "lines"})
    return ReturnFigures(order=entry.order or "", number=entry.number or "", total=fact.given_back, **told)


def _cancellation_figures(fact: OrderCancelled, entry: Entry) -> CancellationFigures:
    told = fact.model_dump(include={"order_id", "currency", "total", "reason"})
    return CancellationFigures(order=entry.order or "", **told)


def order_item(entry: Entry) -> OrderItem:
    return OrderItem(event_id=entry.event_id, **_of_order(entry), **entry.fact.model_dump())


def _of_order(entry: Entry) -> dict[str, Any]:
    return {"number": entry.order or "", "returned": entry.returned, "cancelled_at": entry.cancelled_at}
