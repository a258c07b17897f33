"""Folds the facts of all publishers into one view of a customer. Storing and telling the view is not its business."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from shared.contracts.campaigns import CustomerSelected
from shared.contracts.contacts import Contact, ContactChanged, ContactRegistered
from shared.contracts.fact import Fact, Reason
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from shared.contracts.scoring import Score, ScoreChanged
from shared.contracts.sync import CampaignNote, CustomerView, InteractionNote, SalesSummary

RECENT_INTERACTIONS = 10
RECENT_CAMPAIGNS = 20
LARGEST_TOTAL = Decimal(10) ** 12
"""Beyond it the contract of `SalesSummary.total` would not hold, and every reader of the view would fail."""

FOLDED = (ContactRegistered, ContactChanged, InteractionRecorded, OrderPlaced, ScoreChanged, CustomerSelected)
"""The facts that can change a view."""

Origins = tuple[tuple[str | None, int], ...]
"""Who caused the newest versions: (source, version), newest first; None is Rapport itself.

Two sources are enough: whichever source is left out, the newest version by any other is among them.
"""


class Unfit(Exception):
    """The fact is valid by itself and yet cannot become part of this customer's view."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Held:
    """A view at its version, and who caused its newest versions."""

    view: CustomerView
    origins: Origins = ()


def newest_by_others(origins: Origins, source: str) -> int:
    """The newest version that somebody else than `source` has caused; 0 if there is none."""
    return max((version for origin, version in origins if origin != source), default=0)


def blank(customer_id: str, now: datetime) -> CustomerView:
    """What is known of a customer of whom nothing is known: its first change makes it version 1."""
    return CustomerView.model_construct(customer_id=customer_id, version=0, changed_at=now)


def take(view: CustomerView, fact: Fact) -> CustomerView:
    """The view with the fact in it, at the same version; the very same object if the fact tells nothing new.

    Facts of different topics may come in any order. Raises Unfit.
    """
    match fact:
        case OrderPlaced():
            return view.model_copy(update={"sales": with_order(view.sales, fact)})
        case InteractionRecorded():
            return with_interaction(view, fact)
        case ScoreChanged(score=score):
            return view.model_copy(update={"score": score}) if is_newer(score, view.score) else view
        case ContactRegistered(contact=contact) | ContactChanged(contact=contact):
            return with_contact(view, contact)
        case CustomerSelected():
            return with_campaign(view, fact)
    return view


def next_version(before: Held | None, after: CustomerView, origins: Iterable[str | None], now: datetime) -> Held | None:
    """The next version, if the view has changed; however many facts have changed it, it is one version."""
    if after is (before.view if before else None) or not (caused_by := set(origins)):
        return None
    version = before.view.version + 1 if before else 1
    older = before.origins if before else ()
    newest = [(origin, version) for origin in sorted(caused_by, key=str)]
    newest += [pair for pair in older if pair[0] not in caused_by]
    view = after.model_copy(update={"version": version, "changed_at": now})
    return Held(view, tuple(newest[:2]))


def origin_of(fact: Fact, origin: str | None) -> str | None:
    """Whose change it is. What Rapport works out itself is news to every channel, whoever set it off."""
    return None if isinstance(fact, ScoreChanged | CustomerSelected) else origin


def with_contact(view: CustomerView, contact: Contact) -> CustomerView:
    if view.contact and view.contact.version >= contact.version:
        return view
    return view.model_copy(update={"contact": contact})


def is_newer(score: Score, known: Score | None) -> bool:
    """Scores of one moment come in the order they were made in: the later one counts."""
    return known is None or score.as_of >= known.as_of


def with_order(sales: SalesSummary, order: OrderPlaced) -> SalesSummary:
    if sales.currency not in {None, order.currency}:
        raise Unfit(Reason.WRONG_CURRENCY, f"the customer's other orders are in {sales.currency}")
    total = sales.total + order.total
    if abs(total) >= LARGEST_TOTAL:
        raise Unfit(Reason.INVALID_DATA, "the sum of the customer's orders would be implausibly large")
    return SalesSummary.model_construct(
        orders=sales.orders + 1,
        total=total,
        currency=order.currency,
        first_order_at=min(sales.first_order_at or order.ordered_at, order.ordered_at),
        last_order_at=max(sales.last_order_at or order.ordered_at, order.ordered_at),
    )


def with_interaction(view: CustomerView, met: InteractionRecorded) -> CustomerView:
    note = InteractionNote.model_construct(
        interaction_id=met.interaction_id,
        kind=met.kind,
        channel=met.channel,
        occurred_at=met.occurred_at,
        campaign=met.campaign,
        summary=met.summary,
    )
    notes = sorted([*view.recent_interactions, note], key=when_met, reverse=True)[:RECENT_INTERACTIONS]
    return view.model_copy(update={"interactions": view.interactions + 1, "recent_interactions": notes})


def when_met(note: InteractionNote) -> tuple[datetime, str]:
    return note.occurred_at, note.interaction_id


def with_campaign(view: CustomerView, selected: CustomerSelected) -> CustomerView:
    """Customers held out are left out: a channel that knew of them would sooner or later contact them."""
    if selected.arm == "control":
        return view
    note = CampaignNote.model_construct(
        campaign_id=selected.campaign_id,
        name=selected.name,
        channel=selected.channel,
        message=selected.message,
        selected_at=selected.selected_at,
        respond_until=selected.respond_until,
    )
    others = [other for other in view.campaigns if other.campaign_id != note.campaign_id]
    known = next((other for other in view.campaigns if other.campaign_id == note.campaign_id), None)
    newest = sorted([*others, max(note, known or note, key=when_selected)], key=when_selected, reverse=True)
    newest = newest[:RECENT_CAMPAIGNS]
    return view if newest == view.campaigns else view.model_copy(update={"campaigns": newest})


def when_selected(note: CampaignNote) -> tuple[datetime, str]:
    return note.selected_at, note.campaign_id
