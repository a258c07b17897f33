"""What scoring does: score customers when they buy and as time passes (`scores`), and refit the models (`models`)."""

from services.scoring.handlers.customers import Customers, Known, Scored, Sheet, Summary, scored_of
from services.scoring.handlers.models import Models, Population, Refitting, Report
from services.scoring.handlers.scores import Scores
from services.scoring.handlers.sweeping import Sweeping, Transactions
from services.scoring.handlers.valuing import Valued, Valuing

__all__ = [
    "Customers",
    "Known",
    "Models",
    "Population",
    "Refitting",
    "Report",
    "Scored",
    "Scores",
    "Sheet",
    "Summary",
    "Sweeping",
    "Transactions",
    "Valued",
    "Valuing",
    "scored_of",
]
