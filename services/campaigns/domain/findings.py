"""What is found out about a campaign: the figures that its effect is told in. How they are computed is in `effect.py`."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class ArmFigures(Part):
    """One arm. Money is in the company's currency."""

    customers: int
    responders: int
    response_rate: float | None
    orders: int
    revenue: Decimal
    revenue_per_customer: Decimal | None


class RateDifference(Part):
    """Response rate of treatment minus that of control, with the 95 % interval (Newcombe)."""

    estimate: float
    low: float
    high: float
    excludes_zero: bool


class MoneyDifference(Part):
    """Revenue of treatment minus that of control, with the 95 % interval (Welch); null where it cannot be had."""

    estimate: Decimal
    low: Decimal | None
    high: Decimal | None
    excludes_zero: bool


class Split(Part):
    """Is the split into arms the one that was planned? If not, the comparison is not to be trusted."""

    control_share_planned: float
    control_share_actual: float | None
    p_value: float | None
    mismatch: bool


class Effect(Part):
    """What a campaign did, so far or for good."""

    campaign_id: str
    counted_from: datetime
    counted_until: datetime
    final: bool
    """The response window is over. Before, every look is preliminary."""
    currency: str
    treatment: ArmFigures
    control: ArmFigures
    response_rate: RateDifference | None
    """None without customers in both arms."""
    revenue_per_customer: MoneyDifference | None
    incremental_revenue: MoneyDifference | None
    """What the campaign has brought in: the difference per customer, times the treated customers."""
    split: Split
    conclusive: bool
    """The window is over, the split is as planned, and the interval of revenue per customer excludes zero. Revenue is
    the one measure that decides; it was chosen beforehand, so that no campaign can pick the one that flatters it."""
    verdict: Annotated[list[str], Field(description="The same in words, the most important first.")]
