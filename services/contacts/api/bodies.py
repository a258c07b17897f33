"""What clients send and read. The words are those of the event `crm.contact.reported.v1`, to be learnt once."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.contracts.channels import ContactReported
from shared.contracts.fact import Identifier, Identifiers, Moment
from shared.contracts.parties import LinkClaim

ANN: dict[str, Any] = {
    "customer": [{"scheme": "loyalty-card", "value": "4711"}],
    "party": "person",
    "stage": "lead",
    "name": "Ann Example",
    "email": "ann@example.org",
    "phone": "+493012345678",
    "language": "de",
    "address": {"lines": ["Hauptstr. 1"], "postal_code": "10115", "city": "Berlin", "country": "DE"},
    "attributes": {"shoe-size": 38},
    "consents": [{"purpose": "marketing", "channel": "email", "status": "granted", "given_at": "2026-01-02T09:30:00Z"}],
}

Why = Annotated[str, Field(min_length=1, max_length=1000, description="Why. Kept in the history, told to nobody.")]


def _now() -> datetime:
    return datetime.now(UTC)


class NewContact(ContactReported):
    """A contact to register. All fields may be absent; without identifier, e-mail or phone only its id finds it again."""

    # A person who mistypes a field's name learns of it; a channel's event may know more than we do.
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ANN]})

    customer: Annotated[list[Identifier], Field(max_length=10)] = Field(default_factory=list)
    reported_at: Annotated[Moment, Field(description="When the customer said so. Absent: now.")] = Field(
        default_factory=_now
    )
    reason: Why | None = None

    @field_validator("party", "stage")
    @classmethod
    def every_contact_has_one(cls, value: str | None) -> str:
        if value is None:
            raise ValueError("can be left out, but not removed")
        return value

    @field_validator("links")
    @classmethod
    def links_have_a_route(cls, value: list[LinkClaim]) -> list[LinkClaim]:
        if value:
            raise ValueError("are said with PUT /v1/contacts/{id}/links/{kind}/{other}, and in events")
        return value

    @property
    def said_at(self) -> datetime | None:
        return self.reported_at if "reported_at" in self.model_fields_set else None


class ContactChange(NewContact):
    """What is different. Absent fields stay, null removes; identifiers and consents are added to those there are."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"version": 3, "name": "Ann Sample", "phone": None}]}
    )

    version: Annotated[int, Field(ge=1, description="Change only this version. `If-Match` says the same.")] | None = (
        None
    )


class IdentifierLists(BaseModel):
    """For each customer the identifiers that a channel knows, its own first."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "customers": [
                        [{"scheme": "shop", "value": "A-17"}, {"scheme": "loyalty-card", "value": "4711"}],
                        [{"scheme": "email", "value": "bob@example.org"}],
                    ]
                }
            ]
        },
    )

    customers: Annotated[list[Identifiers], Field(max_length=1000)]


class CustomerIds(BaseModel):
    """The customers, in the order of the question."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"customers": ["019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b", "019b7a2c-5c01-7000-8000-5a4b3c2d1e0f"]}
            ]
        }
    )

    customers: list[str]


class Summary(BaseModel):
    """How many there are."""

    contacts: int
    duplicates: Annotated[
        int | None,
        Field(
            description="Reports that channels sent twice, and that were dropped. Null: the key sees some contacts only."
        ),
    ]
