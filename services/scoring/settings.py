"""What scoring reads from its environment, beside what every service reads."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from shared.settings import PlatformSettings


class ScoringSettings(PlatformSettings):
    scoring_refit_seconds: float = Field(60, gt=0)
    """How often the population's parameters are fitted again."""
    scoring_horizon_days: int = Field(90, ge=1, le=3650)
    """How far ahead purchases, value and churn are predicted."""
    scoring_margin: float = Field(1.0, gt=0, le=1)
    """What of a customer's money is contribution; 1: value is revenue, as nothing is known of costs."""
    scoring_yearly_discount: float = Field(0.1, gt=0, le=10)
    """By how much money of a year from now is worth less; of lifetime value."""
    scoring_study_seconds: float = Field(3600, gt=0)
    """How often the whole base is looked through for what goes together; the first time after a minute at most."""
    scoring_time_zone: str = "UTC"
    """In which customers' hours of contact are told (`Europe/Vienna`)."""

    scoring_control_share: float = Field(0.05, ge=0, le=0.5)
    """Customers whom no retention action ever reaches, so that the effect of all of them can be seen."""
    scoring_exploration_share: float = Field(0.05, ge=0, le=0.5)
    """Customers whose action is drawn at random, so that something is learnt."""

    @field_validator("scoring_time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            if name != "UTC":
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"no time zone is called {name}") from error
        return name
