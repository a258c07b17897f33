"""Customers who are one: what their parts make together. Who belongs to whom is said in `shared.contracts.merges`. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from services.sync.domain.known import NOTHING, Known, Sales
from services.sync.domain.view import (
    LARGEST_TOTAL,
    RECENT_CAMPAIGNS,
    RECENT_INTERACTIONS,
    Note,
    when_met,
    when_selected,
)
from shared.consent import STRICTNESS

FOR_EVER = datetime.max.replace(tzinfo=UTC)


def total(root: str, parts: Mapping[str, Known]) -> Known:
    """What is known of several who are one, as if all had come to the root.

    Contact and score are the root's: contacts and scoring tell them of all parts together.
    """
    known = parts[root]
    others = [parts[customer] for customer in sorted(parts) if customer != root]
    if not others:
        return known
    for other in others:
        known = plus(known, other)
    not_yet = [parts[one].contact for one in sorted(parts) if one != root and one not in absorbed_by(known.contact)]
    return known._replace(contact=cautious(known.contact, not_yet))


def plus(known: Known, other: Known) -> Known:
    """Commutative and associative but for contact and score, which are the first one's."""
    notes = sorted(listed(known.recent_interactions, other.recent_interactions), key=when_met, reverse=True)
    return known._replace(
        sales=sum_of(known.sales, other.sales),
        interactions=known.interactions + other.interactions,
        recent_interactions=orjson.dumps(notes[:RECENT_INTERACTIONS]),
        campaigns=orjson.dumps(campaigns_of(listed(known.campaigns, other.campaigns))[:RECENT_CAMPAIGNS]),
        restricted=known.restricted or other.restricted,
    )


def sum_of(sales: Sales, other: Sales) -> Sales:
    """Money of another currency than the first's cannot be added; interactions lets only one currency in."""
    if None not in {sales.currency, other.currency} and sales.currency != other.currency:
        return sales
    return Sales(
        sales.orders + other.orders,
        bounded(sales.total + other.total),
        sales.currency or other.currency,
        min((at for at in (sales.first_order_at, other.first_order_at) if at), default=None),
        max((at for at in (sales.last_order_at, other.last_order_at) if at), default=None),
        bounded(sales.returned + other.returned),
        sales.cancelled + other.cancelled,
    )


def bounded(amount: Decimal) -> Decimal:
    """No more than the contract holds, so that the sum of two implausible customers can still be told."""
    most = LARGEST_TOTAL - Decimal("0.000001")
    return max(-most, min(most, amount))


def campaigns_of(notes: Iterable[Note]) -> list[Note]:
    """Each campaign once, as it was selected last; the latest first."""
    by_campaign: dict[str, Note] = {}
    for note in sorted(notes, key=when_selected):
        by_campaign[note["campaign_id"]] = note
    return sorted(by_campaign.values(), key=when_selected, reverse=True)


def absorbed_by(contact: bytes) -> frozenset[str]:
    """Whom contacts has put into this contact already."""
    return frozenset((orjson.loads(contact) or {}).get("absorbed", ()))


def cautious(contact: bytes, others: Iterable[bytes]) -> bytes:
    """The contact, with the stricter answers of those whom contacts has not put into it yet, and all that forbids to approach them.

    Else a channel could be sent what an absorbed customer has denied it, for as long as the whole contact is on its way.
    """
    whole: dict[str, Any] | None = orjson.loads(contact)
    absorbed = [known for other in others if (known := orjson.loads(other))]
    answers = [answer for known in absorbed for answer in known.get("consents", ())]
    barred = [entry for known in absorbed for entry in known.get("do_not_contact", ())]
    if not whole or not (answers or barred):
        return contact
    standing = {(answer["purpose"], answer["channel"]): answer for answer in whole["consents"]}
    for answer in answers:
        place = (answer["purpose"], answer["channel"])
        if place not in standing or strictness(answer) > strictness(standing[place]):
            standing[place] = answer
    whole["consents"] = [standing[place] for place in sorted(standing)]
    if barred:
        whole["do_not_contact"] = [*whole.get("do_not_contact", ()), *barred]
    return orjson.dumps(whole)


def strictness(answer: Mapping[str, Any]) -> tuple[int, float]:
    """Of two answers that nobody has brought together yet the greater holds: the refusal, or the grant that ends first."""
    until = answer.get("valid_until")
    ends = FOR_EVER if until is None else datetime.fromisoformat(until)
    return STRICTNESS[answer["status"]], -ends.timestamp() if answer["status"] == "granted" else 0.0


def absorbed(root: str) -> Known:
    """What is shown of a customer who was merged into another: whom."""
    return NOTHING._replace(merged_into=root)


def hidden() -> Known:
    """What is shown of a customer whose data are kept and not used: that it is so."""
    return NOTHING._replace(restricted=True)


def listed(one: bytes, other: bytes) -> list[Note]:
    return [*orjson.loads(one), *orjson.loads(other)]
