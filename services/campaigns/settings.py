"""What campaigns reads from its environment, beside what every service reads."""

from pydantic import Field, field_validator

from services.campaigns.domain.quiet import QuietHours, zone_named
from shared.contracts.fact import Code
from shared.contracts.sensitive import SENSITIVE
from shared.settings import PlatformSettings


class CampaignSettings(PlatformSettings):
    campaigns_patience_seconds: float = Field(10, ge=0, le=60)
    """How long a launch request waits for the launch to be over before it answers 202."""
    campaigns_lease_seconds: float = Field(15, ge=1, le=600)
    """How long a launch rests after its instance has died, before another one carries it on."""
    campaigns_quiet_hours: dict[Code, QuietHours] = {}
    """Of campaigns that say none of their own, by channel: `{"phone": {"from": "20:00", "until": "08:00"}}`."""
    campaigns_time_zone: str = "UTC"
    """In which quiet hours are meant for customers whose own time zone is not known (`Europe/Vienna`)."""

    contacts_sensitive: list[str] = list(SENSITIVE)
    """As contacts has it: codes of attributes for which whoever asks needs the scope `contacts:sensitive`."""

    @field_validator("campaigns_time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if zone_named(name) is None:
            raise ValueError(f"no time zone is called {name}")
        return name
