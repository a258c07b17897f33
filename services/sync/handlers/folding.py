"""What folding makes of a batch: a customer's facts taken one by one, and the new version that is stored and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.sync.domain.known import NOTHING, Known
from services.sync.domain.view import Held, Unfit, next_version, origin_of, take
from shared.contracts.sync import CUSTOMERS, CustomerChanged
from shared.messaging import Received, Unit


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A view to be stored, its partition, and what it adds to the sums over all customers."""

    held: Held
    view: bytes
    """The same as JSON."""
    identifiers: list[str] | None
    """None: as they were."""
    partition: int
    customers: int
    orders: int
    total: Decimal
    regrouped: bool = False
    """Whether it is of one who is not alone, or was not so far."""


def changed(unit: Unit, known: Known, events: Sequence[Received]) -> tuple[Known, list[Received]]:
    """What is known after the events, and those that have told something new."""
    changes: list[Received] = []
    for event in events:
        try:
            after = take(known, event.fact)
        except Unfit as unfit:
            unit.reject(event, unfit.reason, unfit.detail)
            continue
        if after is not known:
            changes.append(event)
        known = after
    return known, changes


def folded(
    unit: Unit, customer: str, before: Held | None, events: Sequence[Received], now: datetime
) -> NewVersion | None:
    """The next version of a customer who is alone, told already, if the events have brought anything new."""
    known, changes = changed(unit, before.known if before else NOTHING, events)
    held = next_version(customer, before, known, {origin_of(event.fact, event.origin) for event in changes}, now)
    return told_version(unit, before, held, changes[-1], changes[-1].partition) if held else None


def told_version(unit: Unit, before: Held | None, held: Held, cause: Received, partition: int) -> NewVersion:
    """Tell a version, and say what storing it takes."""
    was, known, view = before.known if before else NOTHING, held.known, held.view()
    # The JSON is here already, and dear to make.
    unit.tell(CUSTOMERS, CustomerChanged.TYPE, b'{"view":%s}' % view, key=held.customer_id, cause=cause)
    return NewVersion(
        held,
        view,
        known.identifiers() if known.contact is not was.contact else None,
        partition,
        counted(held) - (counted(before) if before else 0),
        known.sales.orders - was.sales.orders,
        known.sales.total - was.sales.total,
        regrouped=not held.alone or (before is not None and not before.alone),
    )


def counted(held: Held) -> int:
    """Whoever was merged into another is no customer of their own."""
    return int(held.known.merged_into is None)
