"""What parties are to each other and to the company: links, roles, and how far somebody has come as a customer."""

from typing import Annotated, Any, Literal

from pydantic import Field

from shared.contracts.fact import Code, CustomerId, Deadline, Identifiers, Moment, Name, Part

HeldKind = Literal[
    "works-at", "decides-at", "member-of", "subsidiary-of", "site-of", "referred-by", "sold-through"
]  # fmt: skip
"""A link as the party says it whose link it is: one of few for that party, one of very many perhaps for the other."""
LinkKind = Literal[
    "works-at", "decides-at", "member-of", "subsidiary-of", "site-of", "referred-by", "sold-through",
    "employs", "decided-by", "has-member", "parent-of", "has-site", "referred", "sells-to",
]  # fmt: skip
"""As either of the two may say it: the last seven are the first seven seen from the other end."""
PartnerRole = Literal["distributor", "agent", "supplier"]
StageName = Literal["lead", "prospect", "customer", "lapsed", "disqualified"]


def is_empty(value: Any) -> bool:
    """For `exclude_if`: what hardly any contact has is absent from the others."""
    return not value


class LinkClaim(Part):
    """What the customer is to another party, who need not be known yet. Said again it is brought up to date as a whole."""

    kind: LinkKind
    to: Identifiers
    title: Name | None = None
    """What the person is there: `Head of Purchasing`."""
    department: Name | None = None
    valid_from: Deadline | None = None
    valid_until: Deadline | None = None
    ended: bool = False
    """True: it is not so, or not any more."""
    evidence: Annotated[str, Field(max_length=200)] | None = None
    """How the channel knows: a contract's number, a register's entry."""


class PartyLink(Part):
    """What a customer is to another party, as it was said last. Which of several holds is for the reader to say."""

    kind: HeldKind
    to: CustomerId
    """The other party under the id that was meant, which may have been merged into another since."""
    title: str | None = None
    department: str | None = None
    valid_from: Deadline | None = None
    valid_until: Deadline | None = None
    ended: Annotated[bool, Field(exclude_if=is_empty)] = False
    source: str
    said_at: Moment
    stated_at: Moment | None = None
    """When it was last said to be so, also if it was said to be over since."""
    evidence: Annotated[str | None, Field(exclude_if=is_empty)] = None


class RoleClaim(Part):
    """What the customer is to the company beside a customer. Said again it is brought up to date."""

    role: PartnerRole
    since: Deadline | None = None
    until: Deadline | None = None
    """Absent: nobody knows of an end."""


class Role(RoleClaim):
    """A role as it was said last."""

    source: str
    said_at: Moment


class Lifecycle(Part):
    """How far somebody has come as a customer, since when and why."""

    stage: StageName
    since: Moment
    reason: Code
