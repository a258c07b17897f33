"""The environment of interactions, beyond what every service reads."""

from pydantic import Field

from services.interactions.domain.keeping import KeptSales
from shared.settings import PlatformSettings


class Settings(PlatformSettings):
    """A wrong value stops the start and says which."""

    contacts_url: str = Field("http://127.0.0.1:8801", pattern=r"^https?://")
    """Where contacts answers `POST /v1/identities/resolve`."""
    internal_key: str = ""
    """A key with the scopes `identities:resolve` and `privacy:traces`. Without a valid one, batches with unknown customers
    wait, and so do erasures.
    """
    identity_cache_seconds: int = Field(3600, ge=1)
    """How long Redis keeps which customer an identifier means."""
    identity_memory_size: int = Field(200_000, ge=2)
    """How many answers this process keeps as well."""
    kept_sales: KeptSales | None = None
    """What the law wants kept of the sales of erased customers, as JSON: {"basis": "...", "years": 10}. Absent: nothing."""
