"""Why a score is what it is: the few facts that moved it, in words that can be read aloud, with their figures."""

from services.scoring.domain.reasons.choosing import Reason, reasons
from services.scoring.domain.reasons.fact import Among, Code, Fact
from services.scoring.domain.reasons.facts import facts
from services.scoring.domain.reasons.others import share_spending_less, spend_counts
from services.scoring.domain.reasons.situation import ByModel, Scores, Signal, Situation

__all__ = [
    "Among",
    "ByModel",
    "Code",
    "Fact",
    "Reason",
    "Scores",
    "Signal",
    "Situation",
    "facts",
    "reasons",
    "share_spending_less",
    "spend_counts",
]
