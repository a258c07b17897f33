"""What the law may want kept of a sale when its customer is erased. Pure."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.fact import Name


class KeptSales(BaseModel):
    """The amounts of sales: by which law, and for how many years after the year of the sale, as books are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    basis: Name
    years: Annotated[int, Field(ge=1, le=50)]

    def until(self, at: datetime) -> datetime:
        """The end of the last year (UTC)."""
        return at.replace(year=at.year + self.years + 1, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
