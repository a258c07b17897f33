"""What campaigns tells: whom the company addresses, and whom it deliberately does not (`crm.campaigns`)."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from shared.contracts.fact import DOMAIN_RETENTION, Code, CustomerId, Deadline, Fact, Key, Moment, Topic


def _is_none(value: str | None) -> bool:
    return value is None


class CampaignLaunched(Fact):
    """A campaign has drawn its customers and split them into arms. Keyed by the campaign."""

    TYPE: ClassVar[str] = "crm.campaign.launched.v1"

    campaign_id: Key
    name: str
    channel: Code
    launched_at: Moment
    segment: dict[str, Any]
    treated: int
    held_out: int


class CustomerSelected(Fact):
    """A customer is part of a campaign: `treatment` is to be contacted, `control` is deliberately left alone."""

    TYPE: ClassVar[str] = "crm.campaign.customer-selected.v1"

    campaign_id: Key
    name: str
    customer_id: CustomerId
    arm: Literal["treatment", "control"]
    channel: Code
    """The kind of channel that is to make the contact."""
    message: str | None = None
    selected_at: Moment
    respond_until: Deadline
    held_out_with: Annotated[CustomerId | None, Field(exclude_if=_is_none)] = None
    """Drawn to be contacted, but found to be the same person as this customer, who is left alone; so `arm` is `control` for as
    long as they are one. What is told of a customer last holds. Absent: as drawn."""


CAMPAIGNS = Topic("crm.campaigns", (CampaignLaunched, CustomerSelected), retention=DOMAIN_RETENTION)
