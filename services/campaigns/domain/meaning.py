"""What a rule means: does it hold for a customer? The definition, as a function of a profile.

The same as a MongoDB query is in `store/queries.py`; tests hold the two to the same answers.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from services.campaigns.domain.conditions import Condition, Node
from services.campaigns.domain.fields import reader
from services.campaigns.domain.profile import Profile, Value
from services.campaigns.domain.rules import All, Not, Some
from shared.moments import to_the_millisecond

Predicate: TypeAlias = Callable[[Profile], bool]


def predicate(rule: Node, now: datetime) -> Predicate:
    """What a rule means: does it hold for a customer, asked at `now`?"""
    match rule:
        case All():
            parts = [predicate(part, now) for part in rule.all]
            return lambda profile: all(part(profile) for part in parts)
        case Some():
            parts = [predicate(part, now) for part in rule.any]
            return lambda profile: any(part(profile) for part in parts)
        case Not():
            inner = predicate(rule.not_, now)
            return lambda profile: not inner(profile)
        case Condition():
            read, holds = reader(rule.field, to_the_millisecond(now)), asker(rule.operator, rule.operand, now)
            return lambda profile: holds(read(profile))
    raise TypeError(rule)


def asker(operator: str, operand: Any, now: datetime) -> Callable[[Value | None], bool]:
    """One operator as a function of the field's value; None stands for an absent field."""
    match operator:
        case "exists":
            return lambda value: (value is not None) == operand
        case "is":
            return lambda value: same(value, operand)
        case "in":
            return lambda value: any(same(value, choice) for choice in operand)
        case "at_least":
            return lambda value: is_number(value) and value >= operand
        case "at_most":
            return lambda value: is_number(value) and value <= operand
    lower, upper = span(operator, operand, now)
    return lambda value: (
        isinstance(value, datetime) and (lower is None or value >= lower) and (upper is None or value < upper)
    )


def span(operator: str, operand: Any, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The half-open interval [lower, upper) that an operator on times asks for."""
    match operator:
        case "before":
            return None, operand
        case "after":
            return operand, None
        case "days_ago_at_least":
            return None, days_before(now, operand) + timedelta(milliseconds=1)
        case "days_ago_at_most":
            return days_before(now, operand), None
    raise ValueError(operator)


def days_before(now: datetime, days: int) -> datetime:
    return to_the_millisecond(now) - timedelta(days=days)


def same(value: Value | None, operand: Value) -> bool:
    """Equal as JSON has it: true is not 1, but 1 is 1.0."""
    return value == operand and isinstance(value, bool) == isinstance(operand, bool)


def is_number(value: Value | None) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
