"""Every environment variable that only sync reads: `RAPPORT_SYNC_...`."""

from typing import Self

from pydantic import Field, model_validator

from shared.contracts.sensitive import SENSITIVE
from shared.settings import PlatformSettings


class SyncSettings(PlatformSettings):
    """The platform's settings and sync's own."""

    sync_allow_private_webhooks: bool = False
    """Let webhooks go to plain http and to private addresses: for one machine and for tests."""
    sync_webhook_timeout: float = Field(15.0, gt=0, le=60)
    """Seconds a receiver has for its answer."""
    sync_webhook_concurrency: int = Field(16, ge=1, le=256)
    """Deliveries under way to one channel."""
    sync_webhook_batch: int = Field(500, ge=1, le=5000)
    """Views that one transaction settles."""
    sync_retry_schedule: list[float] | None = None
    """Seconds between attempts, as a JSON list; left out: as Standard Webhooks recommends, up to 24 hours."""
    sync_first_pause: float = Field(1.0, gt=0)
    """Seconds until a channel that fails is probed for the first time; doubles up to `sync_longest_pause`."""
    sync_longest_pause: float = Field(60.0, gt=0)
    sync_lease_seconds: float = Field(45.0, gt=0)
    """How long a dead instance keeps its channels. At least twice the time a receiver has: no delivery may outlive it."""
    sync_poll_seconds: float = Field(0.25, gt=0)
    """How often to look for what other instances have changed."""
    contacts_sensitive: list[str] = list(SENSITIVE)
    """As contacts has it: codes that views hide from whoever has no scope for them, or no policy that names them."""

    @model_validator(mode="after")
    def leases_outlive_deliveries(self) -> Self:
        if self.sync_lease_seconds < 2 * self.sync_webhook_timeout:
            raise ValueError("RAPPORT_SYNC_LEASE_SECONDS must be at least twice RAPPORT_SYNC_WEBHOOK_TIMEOUT")
        return self
