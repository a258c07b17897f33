"""What interactions tells: what happened between customers and company (`crm.interactions`, `crm.sales`)."""

from decimal import Decimal
from typing import ClassVar, Literal

from shared.contracts.channels import SaleLine
from shared.contracts.fact import Amount, Attributes, Code, Currency, CustomerId, Fact, Key, Moment, Topic


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
    currency: Currency
    total: Amount
    discount: Amount = Decimal(0)
    """The sum of all its lines' discounts."""
    lines: list[SaleLine]


INTERACTIONS = Topic("crm.interactions", (InteractionRecorded,))
SALES = Topic("crm.sales", (OrderPlaced,))
