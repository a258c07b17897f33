"""Folds the facts of all publishers into what is known of a customer. Storing and telling it is not its business."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from services.sync.domain.known import EMPTY, NOTHING, NULL, Known, Sales, part, written
from shared.contracts.campaigns import CustomerSelected
from shared.contracts.contacts import Contact, ContactChanged, ContactRegistered, ContactRestricted
from shared.contracts.fact import Fact, Reason
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.scoring import ScoreChanged, ScoreWithdrawn

RECENT_INTERACTIONS = 10
RECENT_CAMPAIGNS = 20
LARGEST_TOTAL = Decimal(10) ** 12
"""Beyond it the contract of `SalesSummary.total` would not hold, and every reader of the view would fail."""

Origins = tuple[tuple[str | None, int], ...]
"""Who caused the newest versions: (source, version), newest first; None is Rapport itself.

Two sources are enough: whichever source is left out, the newest version by any other is among them.
"""
Note = dict[str, Any]


class Unfit(Exception):
    """The fact is valid by itself and yet cannot become part of this customer's view."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Held(NamedTuple):
    """A customer's view at its version, and who caused its newest versions."""

    customer_id: str
    version: int
    changed_at: datetime
    known: Known
    origins: Origins = ()
    members: tuple[str, ...] = ()
    """All who were merged into this customer; what each has brought is kept as a part of its own."""

    erased: bool = False
    """There is no customer any more, and nothing that still comes makes one."""

    @property
    def merged_into(self) -> str | None:
        return self.known.merged_into

    @property
    def alone(self) -> bool:
        return not self.members and self.known.merged_into is None and not self.known.restricted and not self.erased

    def view(self) -> bytes:
        """As JSON."""
        return written(self.customer_id, self.version, self.changed_at, self.known)


def newest_by_others(origins: Origins, source: str) -> int:
    """The newest version that somebody else than `source` has caused; 0 if there is none."""
    return max((version for origin, version in origins if origin != source), default=0)


def take(known: Known, fact: Fact) -> Known:
    """What is known with the fact in it; the very same object if the fact tells nothing new.

    Facts of different topics may come in any order. Raises Unfit.
    """
    match fact:
        case OrderPlaced():
            return known._replace(sales=with_order(known.sales, fact))
        case OrderReturned():
            return known._replace(sales=with_return(known.sales, fact))
        case OrderCancelled():
            return known._replace(sales=with_cancellation(known.sales, fact))
        case ScoreChanged(score=score):
            # Scores of one moment come in the order they were made in: the later one counts.
            newer = known.scored_at is None or score.as_of >= known.scored_at
            return known._replace(score=part(score), scored_at=score.as_of) if newer else known
        case ScoreWithdrawn():
            return without_score(known, fact)
        case InteractionRecorded():
            return with_interaction(known, fact)
        case ContactRegistered(contact=contact) | ContactChanged(contact=contact):
            return with_contact(known, contact)
        case CustomerSelected():
            return with_campaign(known, fact)
        case ContactRestricted(restricted=restricted):
            return known._replace(restricted=restricted) if known.restricted != restricted else known
    return known


def next_version(
    customer_id: str, before: Held | None, after: Known, origins: Iterable[str | None], now: datetime
) -> Held | None:
    """The next version, if the view has changed; however many facts have changed it, it is one version."""
    if after is (before.known if before else NOTHING) or not (caused_by := set(origins)):
        return None
    return following(customer_id, before, after, caused_by, now)


def following(customer_id: str, before: Held | None, after: Known, caused_by: set[str | None], now: datetime) -> Held:
    """The next version, whatever is in it."""
    version = before.version + 1 if before else 1
    older = before.origins if before else ()
    newest = [(origin, version) for origin in (sorted(caused_by, key=str) if len(caused_by) > 1 else caused_by)]
    newest += [pair for pair in older if pair[0] not in caused_by]
    return Held(customer_id, version, now, after, tuple(newest[:2]))


def origin_of(fact: Fact, origin: str | None) -> str | None:
    """Whose change it is. What Rapport works out itself is news to every channel, whoever set it off."""
    return None if isinstance(fact, ScoreChanged | ScoreWithdrawn | CustomerSelected) else origin


def without_score(known: Known, gone: ScoreWithdrawn) -> Known:
    if known.scored_at is None or gone.as_of < known.scored_at:
        return known
    return known._replace(score=NULL, scored_at=None)


def with_contact(known: Known, contact: Contact) -> Known:
    if known.contact_version >= contact.version:
        return known
    return known._replace(contact=part(contact), contact_version=contact.version)


def with_order(sales: Sales, order: OrderPlaced) -> Sales:
    return sales._replace(
        orders=sales.orders + 1,
        total=new_total(sales, order.currency, order.total),
        currency=order.currency,
        first_order_at=min(sales.first_order_at or order.ordered_at, order.ordered_at),
        last_order_at=max(sales.last_order_at or order.ordered_at, order.ordered_at),
    )


def with_return(sales: Sales, back: OrderReturned) -> Sales:
    """The order stays one; its money is less."""
    total = new_total(sales, back.currency, -back.total)
    returned = sales.returned + back.given_back
    if returned >= LARGEST_TOTAL:
        raise Unfit(Reason.INVALID_DATA, "the sum of the customer's returns would be implausibly large")
    return sales._replace(total=total, currency=back.currency, returned=returned)


def with_cancellation(sales: Sales, void: OrderCancelled) -> Sales:
    """The order does not count any more. That something was ordered, and when, stays true."""
    total = new_total(sales, void.currency, -void.total)
    return sales._replace(orders=sales.orders - 1, total=total, currency=void.currency, cancelled=sales.cancelled + 1)


def new_total(sales: Sales, currency: str, more: Decimal) -> Decimal:
    if sales.currency not in {None, currency}:
        raise Unfit(Reason.WRONG_CURRENCY, f"the customer's other orders are in {sales.currency}")
    total = sales.total + more
    if abs(total) >= LARGEST_TOTAL:
        raise Unfit(Reason.INVALID_DATA, "the sum of the customer's orders would be implausibly large")
    return total


def with_interaction(known: Known, met: InteractionRecorded) -> Known:
    note = {
        "interaction_id": met.interaction_id,
        "kind": met.kind,
        "channel": met.channel,
        "occurred_at": met.occurred_at,
        "campaign": met.campaign,
        "summary": met.summary,
    }
    notes = sorted([*orjson.loads(known.recent_interactions), plain(note)], key=when_met, reverse=True)
    newest = orjson.dumps(notes[:RECENT_INTERACTIONS])
    return known._replace(interactions=known.interactions + 1, recent_interactions=newest)


def when_met(note: Note) -> tuple[datetime, str]:
    return datetime.fromisoformat(note["occurred_at"]), note["interaction_id"]


def with_campaign(known: Known, selected: CustomerSelected) -> Known:
    """Customers held out are left out: a channel that knew of them would sooner or later contact them.

    That goes for those too who were found to be one with somebody held out after they had been told of.
    """
    if selected.arm == "control":
        return without_campaign(known, selected.campaign_id)
    note = plain(
        {
            "campaign_id": selected.campaign_id,
            "name": selected.name,
            "channel": selected.channel,
            "message": selected.message,
            "selected_at": selected.selected_at,
            "respond_until": selected.respond_until,
        }
    )
    notes = orjson.loads(known.campaigns)
    same = [other for other in notes if other["campaign_id"] == selected.campaign_id]
    others = [other for other in notes if other["campaign_id"] != selected.campaign_id]
    newest = sorted([*others, max([note, *same], key=when_selected)], key=when_selected, reverse=True)
    newest = newest[:RECENT_CAMPAIGNS]
    return known if newest == notes else known._replace(campaigns=orjson.dumps(newest))


def without_campaign(known: Known, campaign_id: str) -> Known:
    if known.campaigns == EMPTY:
        return known
    notes = orjson.loads(known.campaigns)
    others = [note for note in notes if note["campaign_id"] != campaign_id]
    return known if len(others) == len(notes) else known._replace(campaigns=orjson.dumps(others))


def when_selected(note: Note) -> tuple[datetime, str]:
    return datetime.fromisoformat(note["selected_at"]), note["campaign_id"]


def plain(note: Note) -> Note:
    """As it reads back from JSON."""
    return orjson.loads(orjson.dumps(note, option=orjson.OPT_UTC_Z))  # type: ignore[no-any-return]
