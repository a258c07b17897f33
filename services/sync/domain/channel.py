"""A channel: who is told about customers, by which road, under which policy, and in what state it is."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from services.sync.domain.addresses import check_url
from services.sync.domain.policy import Basis, Policy, known_field
from shared.contracts.fact import Code

Kind = Literal["webhook", "sse"]
State = Literal["active", "paused", "disabled"]
FieldPath = Annotated[str, Field(max_length=200), AfterValidator(known_field)]
Fields = Annotated[list[FieldPath], Field(min_length=1, max_length=100)]
Source = Annotated[str, Field(min_length=1, max_length=200)]
Rate = Annotated[float, Field(gt=0, le=100_000)]
GRACE = timedelta(hours=24)
"""How long an old secret still signs after a rotation, so that the receiver can change over in peace."""
ON_REQUEST = "on request"
OF_POLICY = ("purpose", "basis", "fields", "consent_channel", "approach")
"""What a change makes a new version of the policy of."""


class NotPossible(Exception):
    """The channel's kind or state does not allow it."""


class Secret(BaseModel):
    """A signing secret; one with an end signs beside its successor until then."""

    model_config = ConfigDict(frozen=True)

    value: str = Field(repr=False)
    until: AwareDatetime | None = None


class Terms(BaseModel):
    """One version of the channel's policy, kept for ever: deliveries name the version they went under."""

    model_config = ConfigDict(frozen=True)

    version: int
    purpose: Code
    basis: Basis
    fields: list[str]
    consent_channel: Code
    approach: bool = False
    since: AwareDatetime

    def policy(self) -> Policy:
        return Policy(
            self.version, self.purpose, self.basis, tuple(self.fields), self.consent_channel, approach=self.approach
        )


class Channel(BaseModel):
    """A registered consumer of customer views. How far it has got is kept apart, because that changes all the time."""

    model_config = ConfigDict(frozen=True)

    channel_id: Code
    kind: Kind
    terms: list[Terms]
    """All versions of its policy, the newest last."""
    url: str | None = None
    secrets: list[Secret] = Field(default_factory=list, repr=False)
    source: Source | None = None
    """Where its own events come from; changes by this source are not echoed to it."""
    rate: Rate | None = None
    state: State = "active"
    reason: str | None = None
    """Why it is not active."""
    created_at: AwareDatetime
    changed_at: AwareDatetime

    @property
    def policy(self) -> Policy:
        return self.terms[-1].policy()

    def secrets_at(self, now: datetime) -> tuple[str, ...]:
        return tuple(secret.value for secret in self.secrets if secret.until is None or secret.until > now)

    def changed(self, now: datetime, **fields: Any) -> Self:
        return self.model_copy(update={**fields, "changed_at": now})

    def with_terms(self, now: datetime, **changes: Any) -> Self:
        """The same channel under a new version of its policy; unchanged terms make no version."""
        current = self.terms[-1]
        terms = current.model_copy(update=changes)
        if terms == current:
            return self
        terms = terms.model_copy(update={"version": current.version + 1, "since": now})
        return self.changed(now, terms=[*self.terms, terms])

    def with_secret(self, secret: str, now: datetime, grace: timedelta = GRACE) -> Self:
        """Sign with a new secret from now on, and with the present one too for the time of grace."""
        if self.kind != "webhook":
            raise NotPossible("only webhooks are signed")
        kept = [Secret(value=old.value, until=min(old.until or now + grace, now + grace)) for old in self.secrets]
        kept = [old for old in kept if old.until and old.until > now]
        return self.changed(now, secrets=[Secret(value=secret), *kept])

    def in_state(self, state: State, now: datetime, reason: str | None = None) -> Self:
        return self.changed(now, state=state, reason=reason)


class Registration(BaseModel):
    """What is said to register a channel."""

    model_config = ConfigDict(extra="forbid")

    channel_id: Code
    kind: Kind
    purpose: Code
    """What the channel uses the data for, in the words of the customers' consents."""
    basis: Basis = "consent"
    fields: Fields
    """Paths into the customer view, such as `contact.name` or `sales`; `*` is all of it."""
    consent_channel: Code | None = None
    """The channel that consents speak of; left out: the channel's own id."""
    approach: bool = False
    """It is there to approach customers (a mail house, an e-mail tool): whoever must not be contacted on its `consent_channel`
    is withheld from it, as one without consent is. Others are shown `contact.do_not_contact` where their fields have it."""
    url: str | None = None
    source: Source | None = None
    rate: Rate | None = None
    """Deliveries a second at most; left out: as fast as the receiver takes them."""

    @model_validator(mode="after")
    def has_a_road(self) -> Self:
        if (self.kind == "webhook") != (self.url is not None):
            raise ValueError("a webhook needs a url, and only a webhook has one")
        return self

    def channel(self, now: datetime, secret: str | None, *, allow_private: bool) -> Channel:
        """The channel as registered. Raises ForbiddenUrl."""
        if self.url is not None:
            check_url(self.url, allow_private=allow_private)
        terms = Terms(
            version=1,
            purpose=self.purpose,
            basis=self.basis,
            fields=self.fields,
            consent_channel=self.consent_channel or self.channel_id,
            approach=self.approach,
            since=now,
        )
        return Channel(
            **self.model_dump(include={"channel_id", "kind", "url", "source", "rate"}),
            terms=[terms],
            secrets=[Secret(value=secret)] if secret else [],
            created_at=now,
            changed_at=now,
        )


class Change(BaseModel):
    """What may be changed of a channel; what is left out stays. `rate` and `source` may be set to null."""

    model_config = ConfigDict(extra="forbid")

    purpose: Code | None = None
    basis: Basis | None = None
    fields: Fields | None = None
    consent_channel: Code | None = None
    approach: bool | None = None
    url: str | None = None
    source: Source | None = None
    rate: Rate | None = None
    state: Literal["active", "paused"] | None = None

    def applied(self, channel: Channel, now: datetime, *, allow_private: bool) -> Channel:
        """The changed channel. Raises ForbiddenUrl and NotPossible."""
        said = self.model_dump(exclude_unset=True)
        required = {"purpose", "basis", "fields", "consent_channel", "approach", "url", "state"}
        said = {name: value for name, value in said.items() if value is not None or name not in required}
        if "url" in said:
            if channel.kind != "webhook":
                raise NotPossible("only a webhook has a url")
            check_url(said["url"], allow_private=allow_private)
        terms = {name: said.pop(name) for name in OF_POLICY if name in said}
        if state := said.pop("state", None):
            channel = channel.in_state(state, now, ON_REQUEST if state == "paused" else None)
        return channel.with_terms(now, **terms).changed(now, **said)
