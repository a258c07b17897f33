"""What sync tells: the single view of each customer (`crm.customers`), and who may use the APIs (`crm.access`)."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.contacts import CONTACTS, Contact
from shared.contracts.fact import (
    Amount,
    Code,
    Currency,
    CustomerId,
    Deadline,
    Fact,
    Key,
    Moment,
    Part,
    Topic,
)
from shared.contracts.scoring import Score


def _is_zero(figure: Decimal | int) -> bool:
    return not figure


def _is_false(flag: bool) -> bool:
    return not flag


def _is_none(value: str | None) -> bool:
    return value is None


def _is_empty(listed: list[str]) -> bool:
    return not listed


class SalesSummary(Part):
    """A customer's orders in figures: those that are not cancelled, and what of their money was not given back."""

    orders: int = 0
    total: Amount = Decimal(0)
    currency: Currency | None = None
    first_order_at: Moment | None = None
    """Of all orders ever placed, cancelled ones too; as is the last."""
    last_order_at: Moment | None = None
    returned: Annotated[Amount, Field(exclude_if=_is_zero)] = Decimal(0)
    """Money given back for returns. Absent: none; most customers never return anything."""
    cancelled: Annotated[int, Field(exclude_if=_is_zero)] = 0
    """Orders that are void. Absent: none."""


class InteractionNote(Part):
    """One of a customer's latest interactions."""

    interaction_id: str
    kind: Code
    channel: str
    occurred_at: Moment
    campaign: Key | None = None
    summary: str | None = None


class CampaignNote(Part):
    """A campaign that wants this customer contacted. Customers held out are never told to channels."""

    campaign_id: Key
    name: str
    channel: Code
    message: str | None = None
    selected_at: Moment
    respond_until: Deadline


class CustomerView(Part):
    """All that Rapport knows of a customer at one version. Versions of one customer grow, by one unless all views were made anew."""

    customer_id: CustomerId
    version: Annotated[int, Field(ge=1)]
    changed_at: Moment
    contact: Contact | None = None
    sales: SalesSummary = SalesSummary()
    interactions: int = 0
    recent_interactions: Annotated[list[InteractionNote], Field(max_length=10)] = []
    campaigns: list[CampaignNote] = []
    score: Score | None = None
    merged_into: Annotated[CustomerId | None, Field(exclude_if=_is_none)] = None
    """The customer whom this one was found to be: all that is known is in that one's view, and nothing in here. Absent: a
    customer of their own."""
    restricted: Annotated[bool, Field(exclude_if=_is_false)] = False
    """What is known is kept and must not be used, so nothing of it is in here. Absent: it may be used."""


class CustomerChanged(Fact):
    """The view of a customer has a new version."""

    TYPE: ClassVar[str] = "crm.customer.changed.v1"
    view: CustomerView


class KeyIssued(Fact):
    """An API key is valid from now on. Only the hash of its secret is ever told."""

    TYPE: ClassVar[str] = "crm.access.key-issued.v1"

    key_id: str
    name: str
    kind: Literal["channel", "person", "service"]
    scopes: list[str]
    secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    channel_id: str | None = None
    """The channel that this key speaks for, if any."""
    territories: Annotated[list[Code], Field(exclude_if=_is_empty)] = []
    """The only territories whose contacts this key may see. Absent: all."""
    owners: Annotated[list[Key], Field(exclude_if=_is_empty)] = []
    """The only owners whose contacts this key may see. Absent: all."""
    issued_at: Moment


class KeyRevoked(Fact):
    """An API key is not valid any more."""

    TYPE: ClassVar[str] = "crm.access.key-revoked.v1"

    key_id: str
    revoked_at: Moment


BESIDE_A_CONTACT = 1_048_576
"""Bytes that a view takes for all else than the contact: ten interactions, twenty campaigns, the figures."""
CUSTOMERS = Topic(
    "crm.customers", (CustomerChanged,), compacted=True, max_message_bytes=CONTACTS.max_message_bytes + BESIDE_A_CONTACT
)
"""Whatever contact could be told, its customer's view can be."""
ACCESS = Topic("crm.access", (KeyIssued, KeyRevoked), compacted=True)
