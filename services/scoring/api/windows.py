"""The evidence for a model of behaviour, as it is shown: horizons in which it foretold beside what it would replace."""

from typing import Any

from pydantic import BaseModel

from services.scoring.api.reliability import Reliability, reliability
from services.scoring.domain.promotion import Window


class Evidence(BaseModel):
    """A horizon in which both foretold the same, after all that the model of behaviour had learnt from.

    `gain`: nats a row by which behaviour foretold better, with its 95 % interval over whole days.
    """

    rows: int
    days: int
    gain: float
    low: float | None
    high: float | None
    better: bool
    behaviour: Reliability


def evidence(window: Window, champion: str) -> dict[str, Any]:
    """The fields of an `Evidence`, with the reliability of what would be replaced under the name `champion`."""
    gain = window.gain
    return {
        "rows": gain.rows,
        "days": gain.blocks,
        "gain": gain.mean,
        "low": gain.low,
        "high": gain.high,
        "better": window.better,
        "behaviour": reliability(window.challenger),
        champion: reliability(window.champion),
    }
