"""What campaigns reads from its environment, beside what every service reads."""

from pydantic import Field

from shared.settings import PlatformSettings


class CampaignSettings(PlatformSettings):
    campaigns_patience_seconds: float = Field(10, ge=0, le=60)
    """How long a launch request waits for the launch to be over before it answers 202."""
    campaigns_lease_seconds: float = Field(15, ge=1, le=600)
    """How long a launch rests after its instance has died, before another one carries it on."""
