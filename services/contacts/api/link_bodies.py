"""What clients send and read of links, hierarchies and households."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.contacts.domain.hierarchy import Node
from services.contacts.handlers.hierarchies import Hierarchy, Household
from services.contacts.handlers.linking import Shown
from shared.contracts.channels import Address
from shared.contracts.contacts import Contact
from shared.contracts.fact import Deadline, Name
from shared.contracts.parties import HeldKind, LinkKind, StageName


class NewLink(BaseModel):
    """What is said of a link beside its two ends. Said again it is replaced as a whole."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "Head of Purchasing", "valid_from": "2026-01-01T00:00:00Z"}]},
    )

    title: Name | None = None
    department: Name | None = None
    valid_from: Deadline | None = None
    valid_until: Deadline | None = None
    evidence: Annotated[str, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def begins_before_it_ends(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValueError("`valid_from` must lie before `valid_until`")
        return self


class Other(BaseModel):
    """The party at the other end. `organisation` and `household` have no stage that matters."""

    customer_id: str
    party: str
    name: str | None
    stage: StageName

    @classmethod
    def of(cls, contact: Contact) -> Self:
        stage = contact.lifecycle.stage if contact.lifecycle else contact.stage
        return cls(customer_id=contact.customer_id, party=contact.party, name=contact.name, stage=stage)


class LinkBody(BaseModel):
    """A link as seen from the contact that was asked for."""

    kind: LinkKind
    other: Annotated[Other | None, Field(description="Null: nobody has this id any more.")]
    to: Annotated[str, Field(description="The id that was meant; it may have been merged into `other`.")]
    holds: bool
    trouble: Annotated[
        str | None,
        Field(
            description="Why it does not hold: ended, not-yet, over, superseded, wrong-party, same-party, unknown-party."
        ),
    ]
    title: str | None
    department: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    evidence: str | None
    source: str
    said_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> Self:
        link = shown.link.model_dump(exclude={"kind", "ended", "stated_at", "evidence"})
        other = Other.of(shown.other) if shown.other else None
        return cls(
            **link,
            kind=shown.kind,
            other=other,
            holds=shown.trouble is None,
            trouble=shown.trouble,
            evidence=shown.link.evidence,
        )


class Sums(BaseModel):
    """Of a party and all beneath it that is shown. `people` work there, `customers` of them have bought."""

    organisations: int
    people: int
    customers: int


class Place(BaseModel):
    """A party in a hierarchy. `kind`: what it is to the one above; null where reading began."""

    customer_id: str
    name: str | None
    kind: HeldKind | None
    address: Address | None
    people: int
    customers: int
    sums: Sums
    children: "list[Place]"

    @classmethod
    def of(cls, node: Node) -> Self:
        contact = node.contact
        return cls(
            customer_id=contact.customer_id,
            name=contact.name,
            kind=node.kind,
            address=contact.address,
            people=node.people,
            customers=node.customers,
            sums=Sums(**node.sums._asdict()),
            children=[Place.of(child) for child in node.children],
        )


class HierarchyBody(BaseModel):
    """Where a party stands: who is above it, the next first, and what is below."""

    above: list[Other]
    tree: Place
    complete: Annotated[bool, Field(description="False: there is more than is shown, and the sums are of what is.")]

    @classmethod
    def of(cls, found: Hierarchy) -> Self:
        above = [Other.of(contact) for contact in found.above.path[1:]]
        return cls(above=above, tree=Place.of(found.tree), complete=found.complete and found.above.complete)


class Member(Other):
    """Who belongs to a household, since when if that was said."""

    since: datetime | None


class HouseholdBody(BaseModel):
    """A household made of its members. `stages`: how many of them have come how far."""

    customer_id: str
    name: str | None
    address: Address | None
    members: list[Member]
    stages: dict[StageName, int]
    complete: Annotated[bool, Field(description="False: there are more members than are shown.")]

    @classmethod
    def of(cls, found: Household) -> Self:
        members = [Member(**Other.of(one).model_dump(), since=link.valid_from) for one, link in found.members]
        stages = {stage: sum(one.stage == stage for one in members) for stage in sorted({one.stage for one in members})}
        contact = found.contact
        return cls(
            customer_id=contact.customer_id,
            name=contact.name,
            address=contact.address,
            members=members,
            stages=stages,
            complete=found.complete,
        )
