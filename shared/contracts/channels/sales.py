"""What customers have bought, given back and cancelled, as channel systems say it."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.contracts.fact import Amount, Code, Currency, Fact, Identifiers, Key, Moment, Part, Reason


class Discounts(Part):
    """What was taken off a line, by who bears it, each zero or more."""

    retail: Annotated[Amount, Field(ge=0)] = Decimal(0)
    """The shop's own reduction (loyalty price)."""
    coupon: Annotated[Amount, Field(ge=0)] = Decimal(0)
    """A manufacturer's coupon."""
    coupon_match: Annotated[Amount, Field(ge=0)] = Decimal(0)
    """The shop's match of a manufacturer's coupon."""


class SaleLine(Part):
    """One product of a sale; `value` is what the company receives for the whole line."""

    product: Key
    quantity: Annotated[Amount, Field(ge=0)]
    value: Annotated[Amount, Field(ge=0)]
    discounts: Discounts = Discounts()
    category: Key | None = None
    """What kind of goods it is, as the channel names it."""
    cost: Annotated[Amount, Field(ge=0)] | None = None
    """What the goods of the whole line have cost the company, where the channel knows."""


class SaleReported(Fact):
    """A customer has bought."""

    TYPE: ClassVar[str] = "crm.sale.reported.v1"

    customer: Identifiers
    order: Key
    """The channel's own number of the order, unique within the channel."""
    ordered_at: Moment
    store: Key | None = None
    payment: Code | None = None
    """How it was paid: `card`, `cash`, `invoice`."""
    parcels: Annotated[int, Field(ge=0, le=10_000)] | None = None
    """How many were sent for it; none where the customer took it along."""
    currency: Currency
    lines: Annotated[list[SaleLine], Field(min_length=1, max_length=1000)]


class ReturnLine(Part):
    """One product of a return; `value` is what the customer gets back for the whole line."""

    product: Key
    quantity: Annotated[Amount, Field(ge=0)]
    value: Annotated[Amount, Field(ge=0)]
    restocked: Annotated[Amount, Field(ge=0)] = Decimal(0)
    """How much of the quantity is back on the shelf and can be sold again."""

    @field_validator("restocked")
    @classmethod
    def _has_come_back(cls, restocked: Decimal, info: ValidationInfo) -> Decimal:
        if restocked > info.data.get("quantity", restocked):
            raise PydanticCustomError(Reason.INVALID_DATA.value, "not more is restocked than was returned")
        return restocked


class ReturnReported(Fact):
    """A customer has given back an order or a part of it. Whoever is named, it is of the order's customer."""

    TYPE: ClassVar[str] = "crm.return.reported.v1"

    customer: Identifiers
    number: Key
    """The channel's own number of the return, unique within the channel."""
    order: Key
    """The channel's own number of the order that it is of. The order may be told later than the return."""
    returned_at: Moment
    currency: Currency
    lines: Annotated[list[ReturnLine], Field(min_length=1, max_length=1000)]


class CancellationReported(Fact):
    """An order is void: from now on it counts as if it had never been placed."""

    TYPE: ClassVar[str] = "crm.cancellation.reported.v1"

    customer: Identifiers
    order: Key
    """The channel's own number of the order. The order may be told later than its cancellation."""
    cancelled_at: Moment
    reason: Code | None = None
