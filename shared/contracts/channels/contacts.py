"""Who a customer is, as channel systems say it."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from shared.contracts.fact import Attributes, Code, Deadline, Fact, Identifiers, Key, Moment, Name, Part, Reason
from shared.contracts.parties import LinkClaim, RoleClaim


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


def short(tag: str) -> str:
    """Refuse what no language is called; as its pattern was published, it has no end."""
    if len(tag) > MAX_LANGUAGE:
        raise PydanticCustomError(Reason.INVALID_DATA.value, "a language has at most 100 characters")
    return tag


MAX_LANGUAGE = 100
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), AfterValidator(short)]
"""As in RFC 5646: `de`, `pt-BR`."""


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
    language: Language | None = None
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
