"""Rules as MongoDB queries on the `profiles` collection: the same meaning as `domain.meaning.predicate`, on the server."""

from datetime import datetime
from typing import Any

from bson.decimal128 import Decimal128

from services.campaigns.domain import fields
from services.campaigns.domain.conditions import Condition, Node
from services.campaigns.domain.fields import Kind, on_channel
from services.campaigns.domain.meaning import asker, span
from services.campaigns.domain.rules import All, Not, Some
from shared.consent import ANY
from shared.moments import to_the_millisecond

Query = dict[str, Any]
CONSENTS, CONSENTS_UNTIL = "contact.consents.", "contact.consents_until."
"""The answers by purpose and channel; of grants that end, when. Profiles of before grants could end have none of these."""


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
    if field.kind is Kind.FLAG:
        return forbidden(rule, to_the_millisecond(now))
    if rule.field.startswith("consent."):
        return consent(rule, to_the_millisecond(now))
    asked = {"$exists": rule.operand} if rule.operator == "exists" else comparison(rule, field.kind, now)
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


def consent(rule: Condition, now: datetime) -> Query:
    """The channel's own answer where there is one, else the answer for any channel."""
    purpose = rule.field.removeprefix("consent.").partition("@")[0]
    general, own = (f"{key(purpose)}.{key(channel)}" for channel in (ANY, on_channel(rule.field)))
    if rule.operator == "exists" and not rule.operand:
        return {CONSENTS + own: {"$exists": False}, CONSENTS + general: {"$exists": False}}
    if own == general:
        return answered(general, rule, now)
    return {"$or": [answered(own, rule, now), {CONSENTS + own: {"$exists": False}, **answered(general, rule, now)}]}


def answered(place: str, rule: Condition, now: datetime) -> Query:
    """One answer, as of now: a grant whose end has come is `expired`."""
    here, ended = CONSENTS + place, {CONSENTS_UNTIL + place: {"$lte": now}}
    if rule.operator == "exists":
        return {here: {"$exists": True}}
    words = set(rule.operand if rule.operator == "in" else [rule.operand])
    if len(words & {"granted", "expired"}) != 1:
        return {here: {"$in": sorted(words)}}
    if "expired" in words:
        return {"$or": [{here: {"$in": sorted(words)}}, {here: "granted", **ended}]}
    return {here: {"$in": sorted(words)}, "$nor": [{here: "granted", **ended}]}


def forbidden(rule: Condition, now: datetime) -> Query:
    """Whether an entry forbids to approach the customer on the channel at this moment."""
    channels = sorted({on_channel(rule.field), ANY})
    entry = {"channel": {"$in": channels}, "since": {"$lte": now}, "until": {"$not": {"$lte": now}}}
    asked = {"contact.do_not_contact": {"$elemMatch": entry}}
    return asked if rule.operand else {"$nor": [asked]}


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
