"""What clients send and read about consents."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.contacts.api.bodies import Why
from shared.consent import answer
from shared.contracts.channels import ConsentClaim, LawfulBasis
from shared.contracts.contacts import Consent
from shared.contracts.parties import is_empty

CONSENT: dict[str, Any] = {
    "purpose": "marketing",
    "channel": "email",
    "status": "withdrawn",
    "given_at": "2026-03-01T17:00:00Z",
}
GRANT: dict[str, Any] = CONSENT | {
    "status": "granted",
    "basis": "consent",
    "wording": "newsletter-2026-03",
    "valid_until": "2028-03-01T17:00:00Z",
}


class ConsentClaims(BaseModel):
    """What the customer said, for each purpose and channel (`any`: on every channel). Others stay as they are."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"consents": [CONSENT, GRANT]}]})

    consents: Annotated[list[ConsentClaim], Field(min_length=1, max_length=50)]
    reason: Why | None = None
    confirm: Annotated[
        bool,
        Field(
            description="Double opt-in: grants hold once the customer has confirmed them by a link. Refusals hold at once."
        ),
    ] = False


class SaidConsent(BaseModel):
    """Something that was said about a consent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**GRANT, "source": "/channels/shop"}]})

    purpose: str
    channel: str
    status: Literal["granted", "denied", "withdrawn", "expired"]
    given_at: datetime
    source: str
    evidence: str | None = None
    basis: Annotated[LawfulBasis | None, Field(exclude_if=is_empty, description="Absent: consent.")] = None
    wording: Annotated[str | None, Field(exclude_if=is_empty, description="Which text they said it to.")] = None
    valid_until: Annotated[datetime | None, Field(exclude_if=is_empty, description="Absent: it has no end.")] = None

    @classmethod
    def of(cls, consent: Consent) -> Self:
        """As it was said."""
        return cls._with(consent, "expired" if consent.expired else consent.status)

    @classmethod
    def _with(cls, consent: Consent, status: str) -> Self:
        return cls.model_validate(consent.model_dump(exclude={"expired"}) | {"status": status})


class StandingConsent(SaidConsent):
    """An answer as it stands."""

    @classmethod
    def at(cls, consent: Consent, moment: datetime) -> Self:
        """A grant that has run out is expired, whether that has been told or not."""
        return cls._with(consent, answer(consent, moment))


class Waiting(BaseModel):
    """Grants that wait for a confirmation. `GET /v1/confirmations` has the link, for whoever sends it."""

    confirmation_id: str
    expires_at: datetime


class Consents(BaseModel):
    """The customer's standing answers."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"version": 4, "consents": [{**CONSENT, "source": "/channels/shop"}]}]}
    )

    version: Annotated[int, Field(description="Of the contact.")]
    consents: list[StandingConsent]
    confirmation: Annotated[
        Waiting | None, Field(exclude_if=is_empty, description="Of grants that wait. Absent: none was to be confirmed.")
    ] = None
