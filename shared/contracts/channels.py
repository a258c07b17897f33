"""What channel systems tell Rapport: `crm.inbound`. Reported facts are claims: the services judge and record them."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StrictBool, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.contracts.fact import (
    Amount,
    Attributes,
    Code,
    Currency,
    Deadline,
    Fact,
    Identifiers,
    Key,
    Moment,
    Name,
    Part,
    Reason,
    Topic,
)
from shared.contracts.parties import LinkClaim, RoleClaim

MAX_EVENT_BYTES = 1_000_000
"""The largest body of one event. The topic takes larger records, so that those too become dead letters."""


class Address(Part):
    """A postal address."""

    lines: Annotated[list[Name], Field(max_length=6)] = []
    postal_code: Annotated[str, Field(max_length=20)] | None = None
    city: Name | None = None
    region: Name | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None


class NameParts(Part):
    """A person's name in parts, where the channel has asked for them one by one."""

    title: Name | None = None
    given: Name | None = None
    middle: Name | None = None
    particles: Name | None = None
    """What stands before the family name and does not sort it: `van der`."""
    family: Name | None = None
    suffix: Name | None = None


def _is_none(value: object) -> bool:
    return value is None


class Claim(Part):
    """How somebody can be reached, for what, and from when to when. Kept as typed, however doubtful it looks."""

    purpose: Code = "any"
    """`home`, `work`, `billing`, `delivery`: a word that channels agree on."""
    valid_from: Deadline | None = None
    valid_until: Deadline | None = None
    """Absent: nobody knows of an end. Not after `reported_at`: it is over."""
    said_at: Annotated[Moment | None, Field(exclude_if=_is_none)] = None
    """When the customer said it, where that was before `reported_at`: an old file knows. Absent: then."""


class PhoneClaim(Claim):
    """A telephone number, however it is written."""

    typed: Annotated[str, Field(min_length=1, max_length=100)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """Where it would be dialled from as it stands. Absent: the customer's country."""


class EmailClaim(Claim):
    """An e-mail address, however it is written."""

    typed: Annotated[str, Field(min_length=1, max_length=320)]


class AddressClaim(Claim):
    """A postal address, however it is written."""

    typed: Address


LawfulBasis = Literal["consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"]
"""Why data may be used at all: the General Data Protection Regulation, article 6 (1), a to f."""


class ConsentClaim(Part):
    """What the customer said: may we, for this purpose, on this channel?"""

    purpose: Code
    channel: Code = "any"
    status: Literal["granted", "denied", "withdrawn"]
    given_at: Moment
    evidence: Annotated[str, Field(max_length=500)] | None = None
    basis: LawfulBasis | None = None
    """Left out: consent."""
    wording: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Which text they said it to: `newsletter-2026-03`."""
    valid_until: Deadline | None = None
    """From then on a grant is none any more."""


class ContactReported(Fact):
    """A channel has learnt who a customer is, or something new about them. Absent fields stay as they are."""

    TYPE: ClassVar[str] = "crm.contact.reported.v1"

    customer: Identifiers
    reported_at: Moment
    party: Literal["person", "organisation", "household"] | None = None
    stage: Literal["lead", "prospect", "customer"] | None = None
    name: Name | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None
    phone: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    address: Address | None = None
    attributes: Attributes = {}
    consents: Annotated[list[ConsentClaim], Field(max_length=50)] = []
    name_parts: NameParts | None = None
    phones: Annotated[list[PhoneClaim], Field(max_length=10)] = Field(default_factory=list)
    """Added to those there are; the same one said again is brought up to date. Unlike `phone`, none identifies."""
    emails: Annotated[list[EmailClaim], Field(max_length=10)] = Field(default_factory=list)
    addresses: Annotated[list[AddressClaim], Field(max_length=10)] = Field(default_factory=list)
    time_zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+\-/ ]{1,64}$")] | None = None
    """Of the IANA database: `Europe/Berlin`."""
    interests: Annotated[dict[Code, StrictBool | None], Field(max_length=50)] = Field(default_factory=dict)
    """Each by itself: true, false if they said that they are not interested, null to forget what was said."""
    preferences: Annotated[dict[Code, Name | StrictBool | None], Field(max_length=50)] = Field(default_factory=dict)
    """How they want to be dealt with: `salutation`, `newsletter-day`. Each by itself; null to forget."""
    owner: Key | None = None
    """Who looks after the customer, as the company's staff are known."""
    territory: Code | None = None
    links: Annotated[list[LinkClaim], Field(max_length=20)] = Field(default_factory=list)
    """What the customer is to others: each by itself, kept as said however little it fits."""
    roles: Annotated[list[RoleClaim], Field(max_length=3)] = Field(default_factory=list)


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


INBOUND = Topic(
    "crm.inbound",
    (ContactReported, SaleReported, ReturnReported, CancellationReported, InteractionReported, ContractReported),
    retention=timedelta(days=7),
    max_message_bytes=8 * 1_048_576,
)
