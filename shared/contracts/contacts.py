"""What contacts tells: who the customers are (`crm.contacts`)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.channels import Address
from shared.contracts.fact import Attributes, Code, CustomerId, Fact, Identifier, Moment, Part, Topic


class Consent(Part):
    """The customer's standing answer for one purpose on one channel (`any`: on every channel)."""

    purpose: Code
    channel: Code
    status: Literal["granted", "denied", "withdrawn"]
    given_at: Moment
    source: str
    evidence: str | None = None


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
