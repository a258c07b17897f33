"""How good the data of contacts are: of one (`score`), by the values that it has (`values`), and of all (`report`)."""

from services.contacts.domain.quality.score import STILL_TRUE_AFTER_A_YEAR, WEIGHTS, Finding, Quality, quality
from services.contacts.domain.quality.values import WORDS, Judged

__all__ = ["STILL_TRUE_AFTER_A_YEAR", "WEIGHTS", "WORDS", "Finding", "Judged", "Quality", "quality"]
