"""What clients read and send beside what the handlers take as it is."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from services.sync.domain.channel import Channel, Kind, Registration, State, Terms
from services.sync.domain.outgoing import Progress, Receipt
from services.sync.domain.policy import Basis
from services.sync.handlers.deliveries import DeliveryStatus
from services.sync.handlers.keys import ApiKey, KeyRequest
from shared.contracts.fact import CustomerId

ANN = "019b7a2c-5c00-7d3e-a1b2-0c9d8e7f6a5b"


class NewChannel(Registration):
    """A channel to be told about customers."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "channel_id": "e-shop",
                    "kind": "webhook",
                    "purpose": "service",
                    "basis": "contract",
                    "fields": ["contact.name", "sales", "score.segment"],
                    "url": "https://shop.example/hooks/customers",
                    "source": "/channels/e-shop",
                }
            ]
        },
    )


class ChannelBody(BaseModel):
    """A channel as registered."""

    channel_id: str
    kind: Kind
    purpose: str
    basis: Basis
    fields: list[str]
    consent_channel: str
    approach: bool
    policy_version: int
    url: str | None
    source: str | None
    rate: float | None
    state: State
    reason: Annotated[str | None, Field(description="Why it is not active.")]
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, channel: Channel) -> Self:
        terms = channel.terms[-1]
        shown = {"channel_id", "kind", "url", "source", "rate", "state", "reason", "created_at", "changed_at"}
        return cls(
            **channel.model_dump(include=shown),
            **terms.model_dump(exclude={"version", "since"}),
            policy_version=terms.version,
        )


class NewSecret(BaseModel):
    """Shown this once."""

    secret: Annotated[str, Field(description="Signs the webhooks (Standard Webhooks). The one before goes on signing.")]


class RegisteredChannel(ChannelBody):
    """A new channel, with its secret if it is a webhook. The secret is shown this once."""

    secret: str | None = None


class TroubleBody(BaseModel):
    """Why nothing is delivered at present."""

    error: str
    since: datetime
    resume_at: datetime


class ChannelStatus(ChannelBody):
    """A channel and how it is doing."""

    backlog: Annotated[int, Field(description="Customers that have changed since the channel was told last.")]
    retrying: Annotated[int, Field(description="Customers whose delivery has failed and will be tried again.")]
    failed: Annotated[int, Field(description="Customers whose delivery has failed for good.")]
    trouble: TroubleBody | None = None
    policies: Annotated[list[Terms], Field(description="All versions of its policy; deliveries name theirs.")]

    @classmethod
    def about(cls, channel: Channel, progress: Progress, backlog: int, owed: tuple[int, int]) -> Self:
        trouble = progress.trouble
        return cls(
            **ChannelBody.of(channel).model_dump(),
            backlog=backlog,
            retrying=owed[0],
            failed=owed[1],
            trouble=TroubleBody.model_validate(trouble, from_attributes=True) if trouble else None,
            policies=channel.terms,
        )


class RetryBody(BaseModel):
    """What is still owed: `next_at` is null once it has failed for good."""

    version: int
    attempt: int
    next_at: datetime | None
    error: str | None


class Delivery(BaseModel):
    """What a channel was last sent of a customer, when, and under which policy."""

    customer_id: str
    status: DeliveryStatus
    version: Annotated[int, Field(description="0 if nothing has arrived yet.")]
    policy_version: int
    http_status: int | None
    at: datetime | None
    first_at: datetime | None
    times: int
    retry: RetryBody | None = None

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        retry = receipt.retry
        status: DeliveryStatus = "delivered" if retry is None else "retrying" if retry.next_at else "failed"
        return cls(
            customer_id=receipt.customer_id,
            status=status,
            version=receipt.version,
            policy_version=receipt.policy_version,
            http_status=receipt.status,
            at=receipt.at,
            first_at=receipt.first_at,
            times=receipt.times,
            retry=RetryBody.model_validate(retry, from_attributes=True) if retry else None,
        )


class Replay(BaseModel):
    """What to send again: one customer, whatever has changed since a moment, or all."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"customer_id": ANN}, {"since": "2026-11-22T08:00:00Z"}, {"all": True}]},
    )

    customer_id: CustomerId | None = None
    since: AwareDatetime | None = None
    all: Literal[True] | None = None

    @model_validator(mode="after")
    def says_one_thing(self) -> Self:
        if sum(said is not None for said in (self.customer_id, self.since, self.all)) != 1:
            raise ValueError("say one of customer_id, since and all")
        return self


class NewKey(KeyRequest):
    """A key to be issued."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "E-shop", "kind": "channel", "scopes": ["events:write"], "channel_id": "e-shop"},
                {"name": "Call centre", "kind": "channel", "scopes": ["stream:read"], "channel_id": "call-centre"},
            ]
        },
    )


class IssuedKey(ApiKey):
    """The key itself is shown this once."""

    key: str


class CustomersSummary(BaseModel):
    """Sums over all customers."""

    customers: int
    orders: Annotated[int, Field(description="Without those cancelled.")]
    total: Annotated[str, Field(description="Their exact sum less all that was returned.", examples=["271512.51"])]
