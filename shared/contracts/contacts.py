"""What contacts tells: who the customers are (`crm.contacts`)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.channels import Address, NameParts
from shared.contracts.fact import Attributes, Code, CustomerId, Deadline, Fact, Identifier, Moment, Part, Topic


class Consent(Part):
    """The customer's standing answer for one purpose on one channel (`any`: on every channel)."""

    purpose: Code
    channel: Code
    status: Literal["granted", "denied", "withdrawn"]
    given_at: Moment
    source: str
    evidence: str | None = None


class Point(Part):
    """How a customer can be reached: what was typed, what we understood of it, and how far it can be trusted."""

    purpose: Code
    valid_from: Deadline | None = None
    valid_until: Deadline | None = None
    verdict: Literal["valid", "plausible", "doubtful", "invalid"]
    """`plausible`: fits, but a part was assumed or nothing can be checked; `doubtful`: probably not what was meant."""
    reason: str
    """Why, in a word that stays the same: `ok`, `unassigned`, `looks-mistyped`."""
    source: str
    said_at: Moment


class Phone(Point):
    """A telephone number; `understood` is E.164."""

    typed: str
    country: str | None = None
    """As it was said with the number."""
    understood: str | None = None


class Email(Point):
    """An e-mail address; `understood` is in lower case."""

    typed: str
    understood: str | None = None
    suggestion: str | None = None
    """What was probably meant."""


class PostalAddress(Point):
    """A postal address; `understood` as its country's post writes it."""

    typed: Address
    understood: Address | None = None


class Contact(Part):
    """Everything contacts knows of one customer, at one version."""

    customer_id: CustomerId
    version: Annotated[int, Field(ge=1)]
    party: Literal["person", "organisation", "household"]
    stage: Literal["lead", "prospect", "customer"]
    identifiers: list[Identifier]
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str | None = None
    address: Address | None = None
    attributes: Attributes = {}
    consents: list[Consent] = []
    name_parts: NameParts | None = None
    phones: list[Phone] = Field(default_factory=list)
    """Those said with a purpose, the latest said first. `phone` is the preferred one: as said, else chosen from these."""
    emails: list[Email] = Field(default_factory=list)
    addresses: list[PostalAddress] = Field(default_factory=list)
    time_zone: str | None = None
    interests: dict[Code, bool] = Field(default_factory=dict)
    preferences: dict[Code, str | bool] = Field(default_factory=dict)
    owner: str | None = None
    territory: str | None = None
    registered_at: Moment
    changed_at: Moment


class ContactRegistered(Fact):
    """A customer exists from now on."""

    TYPE: ClassVar[str] = "crm.contact.registered.v1"
    contact: Contact


class ContactChanged(Fact):
    """Something about a customer is different; `changed` names the fields. Carries the whole new state."""

    TYPE: ClassVar[str] = "crm.contact.changed.v1"
    contact: Contact
    changed: list[str]


CONTACTS = Topic("crm.contacts", (ContactRegistered, ContactChanged))
