"""What campaigns tells: whom the company addresses, and whom it deliberately does not (`crm.campaigns`)."""

from typing import Any, ClassVar, Literal

from shared.contracts.fact import Code, CustomerId, Deadline, Fact, Key, Moment, Topic


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


CAMPAIGNS = Topic("crm.campaigns", (CampaignLaunched, CustomerSelected))
