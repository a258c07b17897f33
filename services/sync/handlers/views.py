"""Folds a batch of facts into the customers' views, and tells the new versions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Protocol

from services.sync.domain.view import Held, Unfit, blank, next_version, origin_of, take
from shared.contracts.sync import CUSTOMERS, CustomerChanged
from shared.messaging import Received, Unit


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A view to be stored, its partition, and what it adds to the sums over all customers."""

    held: Held
    partition: int
    customers: int
    orders: int
    total: Decimal


class ViewStore(Protocol):
    async def load(self, customer_ids: Iterable[str], session: Any) -> dict[str, Held]:
        """The views that exist, by customer."""

    async def save(self, versions: Sequence[NewVersion], session: Any) -> Mapping[int, int]:
        """Store each at the tail of its partition's order of changes; return the tails."""


class Views:
    """Keeps every customer's view up to date."""

    def __init__(self, store: ViewStore, now: Callable[[], datetime]) -> None:
        self.store = store
        self.now = now

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One version per customer and batch, however many facts the batch holds."""
        by_customer = {customer: list(facts) for customer, facts in grouped(events)}
        before = await self.store.load(by_customer, unit.session)
        now = to_the_millisecond(self.now())
        versions = [
            version
            for customer, facts in by_customer.items()
            if (version := self.folded(unit, customer, before.get(customer), facts, now))
        ]
        if versions:
            await self.store.save(versions, unit.session)

    def folded(
        self, unit: Unit, customer: str, before: Held | None, events: Sequence[Received], now: datetime
    ) -> NewVersion | None:
        view = before.view if before else blank(customer, now)
        known = view.sales
        changes: list[Received] = []
        for event in events:
            try:
                after = take(view, event.fact)
            except Unfit as unfit:
                unit.reject(event, unfit.reason, unfit.detail)
                continue
            if after is not view:
                changes.append(event)
            view = after
        held = next_version(before, view, {origin_of(event.fact, event.origin) for event in changes}, now)
        if held is None:
            return None
        last = changes[-1]
        unit.publish(CUSTOMERS, CustomerChanged(view=held.view), key=customer, cause=last)
        sales = held.view.sales
        return NewVersion(
            held, last.partition, int(before is None), sales.orders - known.orders, sales.total - known.total
        )


def to_the_millisecond(moment: datetime) -> datetime:
    """What a database keeps of it, so that a view says the same time everywhere."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def grouped(events: Sequence[Received]) -> Iterable[tuple[str, Iterable[Received]]]:
    """Events by customer, each customer's in the order they came in."""
    return groupby(sorted(events, key=lambda event: event.subject), key=lambda event: event.subject)
