"""May we? What the answer is for one customer, and why. Pure; the rule of consents is `shared.consent`, as for all services."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from shared.consent import ANY, barred, standing
from shared.contracts.channels import LawfulBasis
from shared.contracts.contacts import Consent, DoNotContact

Why: TypeAlias = Literal[
    "granted", "not-asked", "denied", "withdrawn", "expired", "do-not-contact", "restricted", "erased", "unknown"
]
OPEN_TO_OBJECTION: frozenset[LawfulBasis] = frozenset({"legitimate-interest", "public-task"})
"""GDPR, article 21: who objects is heard. Contract, legal obligation and vital interests ask nobody."""
REFUSALS = frozenset({"denied", "withdrawn"})


@dataclass(frozen=True, slots=True)
class Question:
    """What for, on which channel, and on which basis."""

    purpose: str
    channel: str
    basis: LawfulBasis = "consent"


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer. `until`: when it may be another one by the mere passing of time; None: as far as anybody knows, never."""

    allowed: bool
    reason: Why
    until: datetime | None = None
    customer_id: str | None = None
    """Who answers for the customer now."""


UNKNOWN, ERASED = Permission(allowed=False, reason="unknown"), Permission(allowed=False, reason="erased")


def permission(
    question: Question, consents: Sequence[Consent], entries: Sequence[DoNotContact], at: datetime, customer: str
) -> Permission:
    """Of a customer who is known and whose data may be used. What bars an approach is heard before any consent, on every basis."""
    if bar := barred(entries, question.channel, at):
        return Permission(allowed=False, reason="do-not-contact", until=bar.until, customer_id=customer)
    found = standing(consents, question.purpose, question.channel, at)
    reason: Why = found.answer if found else "not-asked"
    end = found.consent.valid_until if found and found.grants else None
    ends = [one for one in (end, _next_bar(entries, question.channel, at)) if one]
    return Permission(_allows(question.basis, reason), reason, min(ends, default=None), customer)


def _allows(basis: LawfulBasis, reason: Why) -> bool:
    if basis == "consent":
        return reason == "granted"
    return basis not in OPEN_TO_OBJECTION or reason not in REFUSALS


def _next_bar(entries: Sequence[DoNotContact], channel: str, at: datetime) -> datetime | None:
    return min((one.since for one in entries if one.channel in {channel, ANY} and one.since > at), default=None)
