"""A saved segment: a rule under a name. It is never edited; a campaign says which rule it was launched with."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Segment(BaseModel):
    model_config = ConfigDict(frozen=True)

    segment_id: str
    name: str
    rule: dict[str, Any]
    created_at: datetime
