"""Which fields of a customer are sensitive by their code, in every service that shows customers to somebody."""

import re

SENSITIVE = (
    # Identification numbers and documents (GDPR, article 87), and what proves who somebody is when they call.
    "national-id", "identity-card", "passport", "driving-licence", "social-security", "ssn", "tax-id",
    "birth-date", "date-of-birth", "birthday", "mothers-maiden-name",
    # Special categories (GDPR, article 9).
    "ethnicity", "religion", "political-opinion", "trade-union", "health", "disability", "sexual-orientation", "genetic-data",
    # Money.
    "iban", "bank-account", "credit-card", "income", "credit-score",
)  # fmt: skip
"""Codes of attributes, interests and preferences, and schemes of identifiers, that nobody sees without a scope for it."""
SEE_SENSITIVE = "contacts:sensitive"
"""That scope."""
PUNCTUATION = re.compile(r"[._-]")


def bare(code: str) -> str:
    """How codes are compared: `national_id` is `national-id`."""
    return PUNCTUATION.sub("", code.lower())
