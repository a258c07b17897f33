"""What scoring tells: what a customer is worth and whether they are leaving (`crm.scores`)."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.contracts.fact import DOMAIN_RETENTION, Amount, Currency, CustomerId, Fact, Moment, Part, Topic


def _is_false(flag: bool) -> bool:
    return not flag


Probability = Annotated[float, Field(ge=0, le=1)]


class ModelVersion(Part):
    """Which model with which parameters made a score."""

    name: str
    version: int


Quintile = Annotated[int, Field(ge=1, le=5)]
RfmSegment = Literal[
    "champions",
    "loyal",
    "potential-loyalists",
    "new",
    "promising",
    "need-attention",
    "about-to-sleep",
    "at-risk",
    "cannot-lose-them",
    "hibernating",
    "lost",
]


class Rfm(Part):
    """Recency, frequency and money as fifths of the whole base, 5 being the best, and the name marketers have for it."""

    recency: Quintile
    frequency: Quintile
    money: Quintile
    segment: RfmSegment


class Score(Part):
    """A customer's scores as of a moment. Without enough data for a fitted model, the predictions are null."""

    customer_id: CustomerId
    as_of: Moment
    first_purchase: Moment | None = None
    last_purchase: Moment | None = None
    purchases: int
    """Orders, all of them."""
    recency_days: float | None = None
    """Days from the last purchase to `as_of`."""
    frequency: int
    """Repeat purchase days."""
    money: Amount
    """What the customer has paid so far."""
    mean_spend: Amount | None = None
    """Money per purchase day."""
    currency: Currency
    p_alive: Probability | None = None
    """Probability that the customer has not left for good."""
    p_churn: Probability | None = None
    """Probability of no purchase within the horizon."""
    expected_purchases: Annotated[float, Field(ge=0)] | None = None
    """Within the horizon."""
    horizon_days: int
    expected_spend: Amount | None = None
    """Per future purchase day (Gamma-Gamma)."""
    value: Amount | None = None
    """Expected spend within the horizon: expected purchases times expected spend."""
    segment: Literal["new", "valuable", "valuable-slipping", "regular", "slipping", "gone"] | None = None
    model: ModelVersion | None = None
    rfm: Rfm | None = None
    value_class: Literal["A", "B", "C", "L"] | None = None
    """A: the best customers, who together brought the first 80 %; B: the next 15 %; C: the rest; L: cost more than they
    brought."""


class ScoreChanged(Fact):
    """A customer's scores have moved by more than rounding."""

    TYPE: ClassVar[str] = "crm.score.changed.v1"
    score: Score


class ScoreWithdrawn(Fact):
    """A customer has no score of their own any more: they were merged into another, or parted from whoever had bought, or what is
    known of them must not be used.
    """

    TYPE: ClassVar[str] = "crm.score.withdrawn.v1"
    customer_id: CustomerId
    as_of: Moment
    """Not before any score that was told of them."""
    restricted: Annotated[bool, Field(exclude_if=_is_false)] = False
    """What is known is kept and not used, and says nothing about what the customer has bought. Once it may be used again, the
    score is told again, or that there is none."""


SCORES = Topic("crm.scores", (ScoreChanged, ScoreWithdrawn), retention=DOMAIN_RETENTION)
