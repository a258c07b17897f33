"""A fact about a customer that may have moved a score: its words, its figures, and the situation without it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from services.scoring.domain.reasons.situation import Situation

Code = Literal[
    "silent",
    "bought-once",
    "first-purchase",
    "came-back",
    "bought-again",
    "often-this-month",
    "taken-back",
    "spends-much",
    "spends-little",
    "spent-more",
    "spent-less",
    "buys-more-often",
    "buys-less-often",
    "payment-failed",
    "complained",
    "returned-goods",
    "high-season",
    "low-season",
]
Figures = dict[str, float | int | str]
GOOD: frozenset[Code] = frozenset(
    (
        "first-purchase",
        "came-back",
        "bought-again",
        "often-this-month",
        "spends-much",
        "spent-more",
        "buys-more-often",
        "high-season",
    )
)

UNUSUAL = 1.5
"""Times longer, dearer or more often than usual is worth a word."""


class Among(NamedTuple):
    """What others do: the typical spend of a purchase day, and the share of customers who spend less than this one."""

    currency: str
    typical_spend: float
    spends_less: float | None = None


@dataclass(frozen=True)
class Fact:
    """`without`: the situation with this fact put back to what is usual, or to what was; None: there was no score."""

    code: Code
    text: str
    figures: Figures
    without: Situation | None

    @property
    def good(self) -> bool:
        """Whether an agent would call it good news."""
        return self.code in GOOD
