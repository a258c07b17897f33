"""The rules of the history. Pure; a module a part: entries, checks, facts, orders and what becomes of them, goods
that come back, batches.
"""

from services.interactions.domain.batch import Batch, Telling
from services.interactions.domain.checks import LARGEST_TOTAL, NotAcceptable, check, is_foreign
from services.interactions.domain.entries import (
    CANCELLATION,
    CONTRACT,
    ORDER,
    RETURN,
    Entry,
    Event,
    Identity,
    Order,
    Recorded,
    Tally,
    identity_of,
    name_of,
)
from services.interactions.domain.orders import (
    MOST_RESTOCKED,
    MOST_WAITING,
    Cancellation,
    Changes,
    Placed,
    Return,
    Reversal,
    Standing,
)

__all__ = [
    "CANCELLATION",
    "CONTRACT",
    "LARGEST_TOTAL",
    "MOST_RESTOCKED",
    "MOST_WAITING",
    "ORDER",
    "RETURN",
    "Batch",
    "Cancellation",
    "Changes",
    "Entry",
    "Event",
    "Identity",
    "NotAcceptable",
    "Order",
    "Placed",
    "Recorded",
    "Return",
    "Reversal",
    "Standing",
    "Tally",
    "Telling",
    "check",
    "identity_of",
    "is_foreign",
    "name_of",
]
