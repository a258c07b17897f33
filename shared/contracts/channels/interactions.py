"""How customers and the company have met, and what has become of contracts, as channel systems say it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.fact import Amount, Attributes, Code, Currency, Fact, Identifiers, Key, Moment


class InteractionReported(Fact):
    """Customer and company have met: a call, a visit, a mailing, a redeemed coupon, a page viewed."""

    TYPE: ClassVar[str] = "crm.interaction.reported.v1"

    customer: Identifiers
    kind: Code
    occurred_at: Moment
    direction: Literal["inbound", "outbound"] | None = None
    campaign: Key | None = None
    minutes: Annotated[Amount, Field(ge=0)] | None = None
    """How long it has kept our people busy: a call, a visit."""
    summary: Annotated[str, Field(max_length=2000)] | None = None
    attributes: Attributes = {}


ContractEvent = Literal[
    "started",
    "renewed",
    "payment-failed",
    "payment-recovered",
    "cancelled",
    "went-to-competitor",
    "moved",
    "died",
    "lapsed",
]
"""`cancelled`: by the customer; `lapsed`: by the company, because a payment that had failed never came."""


class ContractReported(Fact):
    """Something has happened to a customer's contract: a subscription, an insurance, a lease."""

    TYPE: ClassVar[str] = "crm.contract.reported.v1"

    customer: Identifiers
    contract: Key
    """The channel's own number of the contract, unique within the channel."""
    event: ContractEvent
    happened_at: Moment
    reason: Code | None = None
    price: Annotated[Amount, Field(ge=0)] | None = None
    """What the customer pays a month from now on."""
    currency: Currency | None = None
    """Of the price; absent: the company's."""
