"""What customers earned us in past months: revenue less direct and indirect costs, each traceable to its events."""

from services.scoring.domain.profit.book import Book, Key, Movement, Sum
from services.scoring.domain.profit.costs import FREE, NOTHING_KNOWN, CostModel, Overhead, Rate, allocate
from services.scoring.domain.profit.kinds import Group, Kind, month_named, month_of, name_of
from services.scoring.domain.profit.movements import (
    Event,
    SoldLine,
    cancelled,
    given_back,
    restocked,
    sold,
    spent,
    used,
)
from services.scoring.domain.profit.statement import Line, Statement, behind, statement

__all__ = [
    "FREE",
    "NOTHING_KNOWN",
    "Book",
    "CostModel",
    "Event",
    "Group",
    "Key",
    "Kind",
    "Line",
    "Movement",
    "Overhead",
    "Rate",
    "SoldLine",
    "Statement",
    "Sum",
    "allocate",
    "behind",
    "cancelled",
    "given_back",
    "month_named",
    "month_of",
    "name_of",
    "restocked",
    "sold",
    "spent",
    "statement",
    "used",
]
