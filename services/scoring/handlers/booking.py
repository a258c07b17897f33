"""What each fact means for the books of profit, and what a customer has earned us."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from services.scoring.domain.profit import (
    Event,
    Kind,
    Movement,
    SoldLine,
    cancelled,
    given_back,
    restocked,
    sold,
    spent,
    used,
)
from shared.contracts.channels import SaleLine
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned

Deed = OrderPlaced | OrderReturned | OrderCancelled | InteractionRecorded
ONE = Decimal(1)
UNMEASURED = "unmeasured"
"""The subject of calls and visits of unknown length, each one unit: they can have a rate of their own."""
TIMED: Mapping[str, Kind] = {"call": Kind.CALLS, "phone-call": Kind.CALLS, "visit": Kind.VISITS}
"""Kinds of interactions that cost our people's time."""
COUNTED: Mapping[str, Kind] = {
    "mail": Kind.MAILS,
    "letter": Kind.MAILS,
    "mailing": Kind.MAILS,
    "catalogue": Kind.MAILS,
    "email": Kind.MESSAGES,
    "e-mail": Kind.MESSAGES,
    "sms": Kind.MESSAGES,
    "message": Kind.MESSAGES,
    "chat": Kind.MESSAGES,
    "page-view": Kind.WEB_SESSIONS,
    "web-session": Kind.WEB_SESSIONS,
}
CAMPAIGN_CONTACT = "campaign-contact"


def movements(fact: Deed) -> list[Movement]:
    match fact:
        case OrderPlaced():
            return _of_order(fact, Event(fact.order_id, fact.ordered_at))
        case OrderReturned():
            return given_back(Event(fact.return_id, fact.returned_at), fact.total, _lines(fact.restocked))
        case OrderCancelled():
            return _undone(fact)
    return _of_contact(fact)


def _of_order(order: OrderPlaced | OrderCancelled, event: Event) -> list[Movement]:
    made = sold(event, _lines(order.lines), order.payment or "")
    return [*made, used(event, Kind.SHIPPING, Decimal(order.parcels))] if order.parcels else made


def _undone(order: OrderCancelled) -> list[Movement]:
    """All that the order had moved, in the month of the cancellation: months that are over stay as they were closed. What was
    given back of it before is no cost any more either, and goods that came back are none of its.
    """
    # A channel whose clock is behind may tell of a cancellation before its order.
    event = Event(order.order_id, max(order.cancelled_at, order.ordered_at))
    # Facts of before cancellations had lines say only what was left of the order.
    made = _of_order(order, event) if order.lines else [spent(event, Kind.SALES, order.total + order.returned)]
    refunds = spent(event, Kind.REFUNDS, -order.returned)._replace(events=0)
    for back in order.restocked:
        made += restocked(event, _lines(back.lines))
    return [*cancelled(made), *([refunds] if order.returned else [])]


def _of_contact(fact: InteractionRecorded) -> list[Movement]:
    event, made = Event(fact.interaction_id, fact.occurred_at), []
    if fact.kind in TIMED:
        minutes = fact.minutes
        made.append(used(event, TIMED[fact.kind], *((ONE, UNMEASURED) if minutes is None else (minutes,))))
    elif fact.kind in COUNTED:
        made.append(used(event, COUNTED[fact.kind], ONE))
    if fact.campaign and (fact.direction == "outbound" or fact.kind == CAMPAIGN_CONTACT):
        made.append(used(event, Kind.CAMPAIGNS, ONE, fact.campaign))
    return made


def _lines(lines: Iterable[SaleLine]) -> list[SoldLine]:
    sold_lines = []
    for line in lines:
        cost, category = line.cost, line.category or ""
        if "discounts" in line.model_fields_set:
            given = line.discounts
            discounts = (given.retail, given.coupon, given.coupon_match)
            sold_lines.append(SoldLine(line.value, *discounts, cost, category))
        else:
            sold_lines.append(SoldLine(line.value, cost=cost, category=category))
    return sold_lines
