"""What scoring reads from its environment, beside what every service reads."""

from pydantic import Field

from shared.settings import PlatformSettings


class ScoringSettings(PlatformSettings):
    scoring_refit_seconds: float = Field(60, gt=0)
    """How often the population's parameters are fitted again."""
    scoring_horizon_days: int = Field(90, ge=1, le=3650)
    """How far ahead purchases, value and churn are predicted."""
