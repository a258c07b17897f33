"""Forms on web pages, which anybody can send: what they ask, how they tell people from programs, what they may say. Pure."""

import hashlib
import hmac
from collections.abc import Collection, Mapping as Map, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.contacts.domain.hearsay import CLAIMED, place_of
from services.contacts.domain.importing.drafting import Draft, Drafting
from services.contacts.domain.importing.mapping import Column, Mapping
from services.contacts.domain.points import MAX_POINTS
from services.contacts.domain.survivorship import FIELDS
from shared.consent import ANY
from shared.contracts.channels import (
    AddressClaim,
    ConsentClaim,
    ContactReported,
    EmailClaim,
    LawfulBasis,
    PhoneClaim,
)
from shared.contracts.contacts import Consent, Contact
from shared.contracts.fact import Code, Identifier, Name

MAY_SAY = frozenset(
    {"name", "name_parts", "email", "phone", "language", "address", "attributes", "interests", "preferences", "party"}
)
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id")
"""Of links, as analytics programs have made them usual."""
TOKEN, LIFE = "_token", timedelta(hours=24)
"""How long somebody may leave a form open."""
MAX_CAMPAIGN = 200


class FormField(Column):
    """A field of the form, and which field of a contact it is."""

    required: bool = False

    @model_validator(mode="after")
    def _may_be_said_by_anybody(self) -> Self:
        if self.to.partition(".")[0] not in MAY_SAY or self.type == "json":
            raise ValueError(f"a form may only say {', '.join(sorted(MAY_SAY))}")
        return self


class FormConsent(BaseModel):
    """A box to tick. `wording`: what stood beside it, kept as evidence with each consent; `version`: which text that is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: Name
    purpose: Code
    channel: Code = "any"
    wording: Annotated[str, Field(min_length=1, max_length=400)]
    version: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    basis: LawfulBasis | None = None
    days: Annotated[int | None, Field(ge=1, le=3650, description="How long it is granted for. Null: for good.")] = None
    required: bool = False

    def claim(self, form: str, now: datetime) -> ConsentClaim:
        """That it was ticked."""
        return ConsentClaim(
            purpose=self.purpose,
            channel=self.channel,
            status="granted",
            given_at=now,
            evidence=f"form {form}: {self.wording}",
            basis=self.basis,
            wording=self.version,
            valid_until=now + timedelta(days=self.days) if self.days else None,
        )


class Form(BaseModel):
    """A form on the web."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "origins": ["https://www.example.org"],
                    "fields": [{"from": "mail", "to": "email", "required": True}, {"from": "name", "to": "name"}],
                    "consents": [
                        {"field": "news", "purpose": "newsletter", "channel": "email", "wording": "Yes, write to me."}
                    ],
                    "honeypot": "website",
                    "redirect": "https://www.example.org/thanks",
                }
            ]
        },
    )

    origins: Annotated[list[Annotated[str, Field(pattern=r"^https?://[^/\s]{1,250}$")]], Field(max_length=50)]
    fields: Annotated[list[FormField], Field(min_length=1, max_length=50)]
    consents: Annotated[list[FormConsent], Field(max_length=20)] = []
    confirm: Annotated[
        bool,
        Field(
            description="Double opt-in: consents hold once a link is confirmed. Of who is known they wait for it in any case."
        ),
    ] = False
    honeypot: Annotated[
        Name | None, Field(description="A field that people do not see. Whoever fills it is no person.")
    ] = None
    minimum_seconds: Annotated[
        float, Field(ge=0, le=600, description="Nobody fills the form faster. 0: the form needs no `_token`.")
    ] = 2.0
    per_minute: Annotated[int, Field(ge=1, le=10_000, description="Of one address on the internet.")] = 10
    redirect: Annotated[str | None, Field(pattern=r"^https?://\S{1,1000}$")] = None
    source: Annotated[
        Name | None, Field(description="Kept as the attribute `lead-source`; absent: the form's name.")
    ] = None

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        self.mapping()
        names = [one.source for one in self.fields if one.source] + [one.field for one in self.consents]
        if self.honeypot in names or TOKEN in names:
            raise ValueError("the honeypot is a field that is asked for, or a field is called _token")
        return self

    def required(self) -> list[str]:
        """The fields without which it is not taken."""
        fields = [one.source for one in self.fields if one.required and one.source]
        return fields + [one.field for one in self.consents if one.required]

    def mapping(self) -> Mapping:
        columns = [Column(**one.model_dump(exclude={"required"}, exclude_defaults=True)) for one in self.fields]
        return Mapping(columns=columns)


class Refused(ValueError):
    """What was sent cannot be taken: which field, and why, for the person at the form."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why


def token(secret: bytes, name: str, at: datetime) -> str:
    """When the form was opened, signed, so that nobody else can say it."""
    told = str(int(at.timestamp() * 1000))
    return f"{told}.{_signature(secret, name, told)}"


def _signature(secret: bytes, name: str, told: str) -> str:
    return hmac.new(secret, f"{name}|{told}".encode(), hashlib.sha256).hexdigest()


def check_time(form: Form, name: str, secret: bytes, given: str, now: datetime) -> None:
    """Raises Refused if the form was not opened, not by this server, too long ago, or just now."""
    if form.minimum_seconds == 0:
        return
    told, _, signature = given.partition(".")
    if not hmac.compare_digest(signature.encode(), _signature(secret, name, told).encode()):
        raise Refused(TOKEN, "is not of this form; open it again")
    age = now.timestamp() - int(told) / 1000
    if age > LIFE.total_seconds():
        raise Refused(TOKEN, "is too old; open the form again")
    if age < form.minimum_seconds:
        raise Refused(TOKEN, "the form was sent faster than it can be filled; send it again")


def draft(form: Form, name: str, values: Map[str, str | Sequence[str]], now: datetime, country: str | None) -> Draft:
    """What was sent, as a report of a lead. Raises Refused, or Rejected of the import's rules."""
    for asked in form.required():
        if not values.get(asked):
            raise Refused(asked, "is needed")
    found = Drafting(f"form.{name}"[:50], form.mapping(), now, country).draft(values)
    attributes: dict[str, Any] = {
        code: told[:MAX_CAMPAIGN] for code in CAMPAIGN if isinstance(told := values.get(code), str) and told
    }
    attributes |= {"lead-source": form.source or name, **found.report.attributes}
    consents = [one.claim(name, now) for one in form.consents if values.get(one.field)]
    update = {"stage": "lead", "attributes": attributes, "consents": consents}
    return Draft(found.report.model_copy(update=update), found.identifiers)


def places(report: ContactReported) -> list[Identifier]:
    """Where who has sent it says to be reached: by e-mail, then by telephone. At the first they are answered."""
    typed = [("email", report.email), ("phone", report.phone)]
    return [place_of(scheme, one) for scheme, one in typed if one]


def as_hearsay(report: ContactReported, known: Collection[str], held: Contact | None = None) -> ContactReported:
    """How to reach somebody goes into the lists, where it is used for as long as nobody but forms knows the lead that is `held`.

    Not used at all is what is somebody's already (`known`: `email`, `phone`), what comes when the lead has another, and what
    cannot be asked after, because nobody understands it yet.
    """
    update: dict[str, Any] = {"email": None, "phone": None, "address": None}
    for name, listed, claim in (
        ("email", "emails", EmailClaim),
        ("phone", "phones", PhoneClaim),
        ("address", "addresses", AddressClaim),
    ):
        points = getattr(held, listed) if held else []
        if len(points) >= MAX_POINTS:
            update[listed] = []
            continue
        claims = [one.model_copy(update={"purpose": CLAIMED}) for one in getattr(report, listed)]
        if (typed := getattr(report, name)) is not None:
            free = name not in known and (held is None or getattr(held, name) is None)
            claims.append(claim(typed=typed, **({} if free else {"purpose": CLAIMED})))
        # What is merely said once more stays as it was said first.
        before = [_place(name, one.typed) for one in points]
        update[listed] = [one for one in claims if one.purpose != CLAIMED or _place(name, one.typed) not in before]
    return report.model_copy(update=update)


def _place(name: str, typed: Any) -> Any:
    return place_of(name, typed) if isinstance(typed, str) else typed


def said_again(report: ContactReported, held: Contact) -> ContactReported:
    """What a form may say of a lead of before, as nobody has shown that it was the same person who sent it.

    It fills what is empty and adds how to reach them; it replaces nothing and grants nothing that was refused. Parameters of
    campaigns are about the visit and always the latest.
    """
    update: dict[str, Any] = {name: None for name in FIELDS if getattr(held, name) is not None} | {"stage": None}
    # A form says as an attribute what its field may want among what is sensitive.
    maps: dict[str, dict[str, Any]] = {
        "attributes": held.attributes | held.sensitive,
        "interests": held.interests,
        "preferences": held.preferences,
    }
    for name, kept in maps.items():
        update[name] = {
            c: v for c, v in getattr(report, name).items() if c not in kept or c in (*CAMPAIGN, "lead-source")
        }
    refused = [one for one in held.consents if one.status != "granted" and not one.expired]
    update["consents"] = [one for one in report.consents if not any(_speaks_of(no, one) for no in refused)]
    return report.model_copy(update=update)


def _speaks_of(refusal: Consent, claim: ConsentClaim) -> bool:
    """A yes on every channel would open also the one that was refused."""
    channels = {refusal.channel, claim.channel}
    return refusal.purpose == claim.purpose and (len(channels) == 1 or ANY in channels)
