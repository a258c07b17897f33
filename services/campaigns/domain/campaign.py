"""Campaigns: what one is, the states it passes, and into which arm each customer falls."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from services.campaigns.domain.conditions import FlagCondition, Node, TextCondition
from services.campaigns.domain.fields import FORBIDDEN
from services.campaigns.domain.quiet import QuietHours
from services.campaigns.domain.rules import All
from shared.moments import to_the_millisecond

Arm: TypeAlias = Literal["treatment", "control"]
State: TypeAlias = Literal["draft", "launching", "launched", "closed"]


class WrongState(Exception):
    """What was asked for is not possible in the state that the campaign is in."""


class Campaign(BaseModel):
    """A campaign at one moment. Until it is launched, nobody has been chosen."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str
    name: str
    channel: str
    message: str
    rule: dict[str, Any]
    segment_id: str | None = None
    control_share: float
    response_days: int
    seed: str
    requires_consent: str | None = None
    quiet_hours: QuietHours | None = None
    state: State = "draft"
    created_at: datetime
    launched_at: datetime | None = None
    """The moment the customers were drawn: what they buy after it is their response."""
    respond_until: datetime | None = None
    closed_at: datetime | None = None
    treated: int = 0
    held_out: int = 0
    contacted: int | None = None
    """Told to be contacted, each once. None: launched before that was counted."""
    waiting: int = 0
    """To be contacted once their quiet time is over."""
    withheld: dict[str, int] = {}
    """Drawn to be contacted and not told, by reason: something was against it when their time had come."""

    def window(self) -> tuple[datetime, datetime]:
        """After when and until when an order is a response. One of the very moment of the draw was known to it."""
        if self.launched_at is None or self.respond_until is None:
            raise WrongState(f"campaign {self.campaign_id} has not been launched")
        return self.launched_at, min(self.respond_until, self.closed_at or self.respond_until)


def drawn(campaign: Campaign, now: datetime, treated: int, held_out: int) -> Campaign:
    """The campaign once its customers are fixed, as of `now`."""
    at = to_the_millisecond(now)
    return campaign.model_copy(
        update={
            "launched_at": at,
            "respond_until": at + timedelta(days=campaign.response_days),
            "treated": treated,
            "held_out": held_out,
            "contacted": 0,
        }
    )


def counted(campaign: Campaign, kept_back: Mapping[Any, int]) -> Campaign:
    """With those who are not contacted, by the reason; None: they wait. Who is held out with somebody is as good as drawn so."""
    withheld = {why: customers for why, customers in kept_back.items() if why not in {None, "held-out"}}
    return campaign.model_copy(update={"waiting": kept_back.get(None, 0), "withheld": withheld})


def closed(campaign: Campaign, now: datetime) -> Campaign:
    """The campaign once nothing more is to be counted. Closing again changes nothing."""
    if campaign.state == "launching":
        raise WrongState(f"campaign {campaign.campaign_id} is being launched; close it when it is")
    if campaign.state == "closed":
        return campaign
    return campaign.model_copy(update={"state": "closed", "closed_at": to_the_millisecond(now)})


def arm(seed: str, customer_id: str, control_share: float) -> Arm:
    """The arm of a customer: a hash of seed and id, so the same on every machine, at every attempt, in any order."""
    digest = blake2b(f"{seed}\n{customer_id}".encode(), digest_size=8).digest()
    return "control" if int.from_bytes(digest, "big") < control_share * 2**64 else "treatment"


def held_out_with(person: Mapping[str, Arm]) -> dict[str, str | None]:
    """Of the customers of a campaign who are one person, with whom each is held out though drawn to be contacted."""
    control = min((one for one, arm_ in person.items() if arm_ == "control"), default=None)
    return {one: control if arm_ == "treatment" else None for one, arm_ in person.items()}


def audience(rule: Node, channel: str, requires_consent: str | None) -> Node:
    """The segment, without those who must not be approached on this channel, or have not agreed to it for this purpose."""
    parts: list[Node] = [rule, FlagCondition.model_validate({"field": f"{FORBIDDEN}@{channel}", "is": False})]
    if requires_consent is not None:
        agreed = {"field": f"consent.{requires_consent}@{channel}", "is": "granted"}
        parts.append(TextCondition.model_validate(agreed))
    return All.model_validate({"all": parts})
