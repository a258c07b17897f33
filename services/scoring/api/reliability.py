"""Whether probabilities hold, over HTTP: of whatever model has said them."""

from pydantic import BaseModel

from services.scoring.domain.calibration import Calibration


class ReliabilityPoint(BaseModel):
    """Customers of whom about the same was said, and the share that bought nothing, with its 95 % interval."""

    customers: int
    said: float
    came: float
    low: float
    high: float


class Reliability(BaseModel):
    """Of the probability of no purchase. `ece_by_chance`: the error that probabilities which hold would show on so many."""

    brier: float | None
    log_loss: float | None
    ece: float | None
    ece_by_chance: float | None
    bias: float | None
    """Above 0: more silence was said than came."""
    curve: list[ReliabilityPoint]


def reliability(table: Calibration) -> Reliability:
    chance = table.ece_by_chance()
    return Reliability(
        brier=table.brier,
        log_loss=table.log_loss,
        ece=table.ece(),
        ece_by_chance=chance[0] if chance else None,
        bias=table.bias,
        curve=[
            ReliabilityPoint(customers=one.rows, said=one.said, came=one.came, low=one.low, high=one.high)
            for one in table.curve()
        ],
    )
