"""What interactions tells: what happened between customers and company (`crm.interactions`, `crm.sales`)."""

from decimal import Decimal
from typing import ClassVar, Literal

from shared.contracts.channels import ContractEvent, ReturnLine, SaleLine
from shared.contracts.fact import (
    DOMAIN_RETENTION,
    LARGE_RECORDS,
    Amount,
    Attributes,
    Code,
    Currency,
    CustomerId,
    Fact,
    Key,
    Moment,
    Part,
    Topic,
)


class InteractionRecorded(Fact):
    """An interaction is in the history, under its customer."""

    TYPE: ClassVar[str] = "crm.interaction.recorded.v1"

    interaction_id: str
    customer_id: CustomerId
    channel: str
    kind: Code
    occurred_at: Moment
    direction: Literal["inbound", "outbound"] | None = None
    campaign: Key | None = None
    minutes: Amount | None = None
    summary: str | None = None
    attributes: Attributes = {}


class OrderPlaced(Fact):
    """An order is stored, under its customer. `total` is the sum of its lines' values."""

    TYPE: ClassVar[str] = "crm.sale.order-placed.v1"

    order_id: str
    customer_id: CustomerId
    channel: str
    ordered_at: Moment
    store: Key | None = None
    payment: Code | None = None
    parcels: int | None = None
    currency: Currency
    total: Amount
    discount: Amount = Decimal(0)
    """The sum of all its lines' discounts."""
    lines: list[SaleLine]


class OrderReturned(Fact):
    """An order or a part of it has come back; told after its order, on the same key."""

    TYPE: ClassVar[str] = "crm.sale.order-returned.v1"

    return_id: str
    order_id: str
    customer_id: CustomerId
    channel: str
    returned_at: Moment
    ordered_at: Moment
    currency: Currency
    total: Amount
    """What the order is worth less by it: the sum of its lines' values, even if that is more than was paid; nothing, if
    the order was cancelled before, for then all of it is void already."""
    lines: list[ReturnLine]
    restocked: list[SaleLine] = []
    """What of the order can be sold again: as much of its lines, with what that was sold for and has cost; nothing, if
    the order was cancelled before. Whatever returns a line comes back in, they add up to the line."""

    @property
    def given_back(self) -> Decimal:
        """What the customer has got, whatever the order is worth."""
        return sum((line.value for line in self.lines), Decimal(0))


class Restocked(Part):
    """What of an order a return has brought back to the shelf."""

    return_id: str
    returned_at: Moment
    lines: list[SaleLine]


class OrderCancelled(Fact):
    """An order is void; told once, after its order, on the same key."""

    TYPE: ClassVar[str] = "crm.sale.order-cancelled.v1"

    order_id: str
    customer_id: CustomerId
    channel: str
    cancelled_at: Moment
    ordered_at: Moment
    currency: Currency
    total: Amount
    """What is voided: the order's total less what was returned before, so that nothing is left of it."""
    returned: Amount = Decimal(0)
    """What was returned before."""
    payment: Code | None = None
    parcels: int | None = None
    lines: list[SaleLine] = []
    """Those of the order, with which all that it has cost is undone."""
    restocked: list[Restocked] = []
    """What was told of goods that came back before, which is undone too."""
    reason: Code | None = None


class ContractChanged(Fact):
    """Something has happened to a customer's contract, and is in the history."""

    TYPE: ClassVar[str] = "crm.sale.contract-changed.v1"

    change_id: str
    customer_id: CustomerId
    channel: str
    contract: Key
    """The channel's own number of the contract, unique within the channel."""
    event: ContractEvent
    happened_at: Moment
    reason: Code | None = None
    price: Amount | None = None
    """What the customer pays a month from now on."""
    currency: Currency


INTERACTIONS = Topic("crm.interactions", (InteractionRecorded,), retention=DOMAIN_RETENTION)
SALES = Topic(
    "crm.sales",
    (OrderPlaced, OrderReturned, OrderCancelled, ContractChanged),
    retention=DOMAIN_RETENTION,
    max_message_bytes=LARGE_RECORDS,
)
