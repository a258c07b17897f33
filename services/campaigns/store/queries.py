"""Rules as MongoDB queries on the `profiles` collection: the same meaning as `domain.meaning.predicate`, on the server."""

from datetime import datetime
from typing import Any

from bson.decimal128 import Decimal128

from services.campaigns.domain import fields
from services.campaigns.domain.fields import Kind
from services.campaigns.domain.meaning import asker, span
from services.campaigns.domain.rules import All, Condition, Node, Not, Some

Query = dict[str, Any]


def query(rule: Node, now: datetime) -> Query:
    """The customers for whom the rule holds, asked at `now`."""
    match rule:
        case All():
            return {"$and": [query(part, now) for part in rule.all]}
        case Some():
            return {"$or": [query(part, now) for part in rule.any]}
        case Not():
            return {"$nor": [query(rule.not_, now)]}
        case Condition():
            return condition(rule, now)
    raise TypeError(rule)


def condition(rule: Condition, now: datetime) -> Query:
    field = fields.find(rule.field)
    assert field is not None
    asked = {"$exists": rule.operand} if rule.operator == "exists" else comparison(rule, field.kind, now)
    if rule.field.startswith("consent."):
        return consent(rule.field, asked)
    here = {path(rule.field): asked}
    if not field.from_zero:
        return here
    # What is not there counts as zero, so a question that zero answers with yes includes the customers without it.
    missing = {path(rule.field): {"$exists": False}}
    holds_for_zero = asker(rule.operator, rule.operand, now)(0)
    return {"$or": [here, missing]} if holds_for_zero else {"$and": [here, {"$nor": [missing]}]}


def comparison(rule: Condition, kind: Kind, now: datetime) -> Query:
    match rule.operator:
        case "is":
            return {"$eq": rule.operand}
        case "in":
            return {"$in": list(rule.operand)}
        case "at_least" | "at_most" as operator:
            bound = Decimal128(rule.operand) if kind is Kind.MONEY else rule.operand
            return {"$gte" if operator == "at_least" else "$lte": bound}
    lower, upper = span(rule.operator, rule.operand, now)
    return {"$gte": lower} if lower is not None else {"$lt": upper}


def consent(name: str, asked: Query) -> Query:
    """The channel's own answer where there is one, else the answer for any channel."""
    purpose, _, channel = name.removeprefix("consent.").partition("@")
    general, own = (f"contact.consents.{key(purpose)}.{key(word)}" for word in ("any", channel or "any"))
    if own == general:
        return {general: asked}
    if asked == {"$exists": False}:
        return {own: asked, general: asked}
    return {"$or": [{own: asked}, {own: {"$exists": False}, general: asked}]}


def path(name: str) -> str:
    """Where the field is in a profile document."""
    section, _, rest = name.partition(".")
    if section == "interactions":
        figure, _, kind = rest.partition(".")
        return f"interactions.kinds.{key(kind)}.{figure}" if kind else f"interactions.{figure}"
    if rest.startswith("attributes."):
        return f"contact.attributes.{key(rest.removeprefix('attributes.'))}"
    return name


def key(code: str) -> str:
    """A code as a key of a document: dots would make paths of it, and codes have no colons."""
    return code.replace(".", ":")


def code(key: str) -> str:
    return key.replace(":", ".")
