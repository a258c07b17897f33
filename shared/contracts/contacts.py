"""What contacts tells: who the customers are (`crm.contacts`)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.channels import Address, LawfulBasis, NameParts
from shared.contracts.fact import (
    DOMAIN_RETENTION,
    LARGE_RECORDS,
    Attributes,
    Code,
    CustomerId,
    Deadline,
    Fact,
    Identifier,
    Moment,
    Part,
    Topic,
    Uuid7,
)
from shared.contracts.parties import Lifecycle, PartyLink, Role, is_empty


def _is_empty(listed: list[str]) -> bool:
    return not listed


class Consent(Part):
    """The customer's standing answer for one purpose on one channel (`any`: on every channel)."""

    purpose: Code
    channel: Code
    status: Literal["granted", "denied", "withdrawn"]
    given_at: Moment
    source: str
    evidence: str | None = None
    basis: LawfulBasis | None = Field(default=None, exclude_if=is_empty)
    """Absent: consent."""
    wording: str | None = Field(default=None, exclude_if=is_empty)
    """Which text they said it to."""
    valid_until: Deadline | None = Field(default=None, exclude_if=is_empty)
    """From then on a grant is none any more, whether that has been told yet or not."""
    expired: bool = Field(default=False, exclude_if=is_empty)
    """A grant that has run out: its status is told as `withdrawn`, though nobody withdrew it."""


class DoNotContact(Part):
    """Nobody may approach the customer on this channel (`any`: on any), whatever consents say. Answers to them are no approach."""

    channel: Code
    reason: Code
    """Why: `asked`, `deceased`, `robinson-list`, `bounced`, `legal`."""
    since: Deadline
    """May lie ahead: it is in force from then on, and the contact is told again at that moment."""
    until: Deadline | None = None
    """Absent: for good. When it is over the contact is told without it."""
    source: str


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
    absorbed: Annotated[list[CustomerId], Field(exclude_if=_is_empty)] = []
    """Customers who were found to be this one; what they said is in here. Absent: nobody."""
    links: list[PartyLink] = Field(default_factory=list, exclude_if=is_empty)
    """What the customer is to others, those that are over too. The other end's contact says nothing of it."""
    roles: list[Role] = Field(default_factory=list, exclude_if=is_empty)
    """Beside being a customer, those that are over too."""
    lifecycle: Annotated[Lifecycle | None, Field(exclude_if=is_empty)] = None
    """Absent: nothing is known beyond `stage`. Who has lapsed stays a customer there, who was disqualified what they were."""
    sensitive: Attributes = Field(default_factory=dict, exclude_if=is_empty)
    """Attributes that the company has defined as sensitive: they stand here and not in `attributes`."""
    do_not_contact: list[DoNotContact] = Field(default_factory=list, exclude_if=is_empty)
    """Those in force when it was told and those that will be. Absent: none."""
    restricted: bool = Field(default=False, exclude_if=is_empty)
    """In answers to whoever asks for contacts: what is known is kept and must not be used at present. Never in facts, where
    `crm.contact.restricted.v1` says so."""


class ContactRegistered(Fact):
    """A customer exists from now on."""

    TYPE: ClassVar[str] = "crm.contact.registered.v1"
    contact: Contact


class ContactChanged(Fact):
    """Something about a customer is different; `changed` names the fields. Carries the whole new state."""

    TYPE: ClassVar[str] = "crm.contact.changed.v1"
    contact: Contact
    changed: list[str]


class ContactMerged(Fact):
    """Two customers were found to be one: the absorbed belongs to the survivor from now on. Told under both their ids."""

    TYPE: ClassVar[str] = "crm.contact.merged.v1"
    merge_id: Uuid7
    survivor: CustomerId
    absorbed: CustomerId
    turn: Annotated[int, Field(ge=1)]
    """Grows with each merge and each unmerge of the absorbed customer: of all facts about them the latest turn holds."""
    merged_at: Moment


class ContactUnmerged(Fact):
    """A merge was a mistake: the absorbed customer is one of their own again. Told under both their ids."""

    TYPE: ClassVar[str] = "crm.contact.unmerged.v1"
    merge_id: Uuid7
    survivor: CustomerId
    absorbed: CustomerId
    turn: Annotated[int, Field(ge=1)]
    unmerged_at: Moment


class ContactErased(Fact):
    """Customers are to be forgotten: whoever keeps anything of them removes it and says so. Told under each of their ids."""

    TYPE: ClassVar[str] = "crm.contact.erased.v1"
    erasure_id: Uuid7
    customers: Annotated[list[CustomerId], Field(min_length=1)]
    """All who were one at that time. Ids only: nothing in here says who they were."""
    requested_at: Moment
    deadline: Deadline


class ContactRestricted(Fact):
    """What is known of a customer is kept and not used (GDPR, article 18), or may be used again. Told under the id of each
    of those who are one.
    """

    TYPE: ClassVar[str] = "crm.contact.restricted.v1"
    customer_id: CustomerId
    restricted: bool
    since: Moment


CONTACTS = Topic(
    "crm.contacts",
    (ContactRegistered, ContactChanged, ContactMerged, ContactUnmerged, ContactErased, ContactRestricted),
    retention=DOMAIN_RETENTION,
    max_message_bytes=LARGE_RECORDS,
)
