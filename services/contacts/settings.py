"""What contacts reads from its environment, beside what every service reads."""

from pydantic import Field

from shared.settings import PlatformSettings


class ContactSettings(PlatformSettings):
    contacts_country: str | None = Field(None, pattern=r"^[A-Z]{2}$")
    """Where telephone numbers are of that say no country, of customers without an address; ISO 3166. Absent: unknown."""
    contacts_quality_share: float = Field(0.01, gt=0, le=1)
    """Of one core, what measuring the quality of all contacts may take: it rests 99 times as long as it has taken."""
