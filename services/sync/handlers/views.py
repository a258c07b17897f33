"""Folds a batch of facts into the customers' views, and tells the new versions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from services.sync.domain.known import NOTHING, Known
from services.sync.domain.view import Held, Unfit, next_version, origin_of, take
from services.sync.handlers.memory import Memory
from shared.contracts.sync import CUSTOMERS, CustomerChanged
from shared.messaging import Received, Transient, Unit


class Stale(Transient):
    """What was taken for a customer's newest version is none; the batch has to come again."""


class Tail(NamedTuple):
    """Where a partition's order of changes ends, and the mark of whoever has written there last."""

    position: int
    mark: str | None


START = Tail(0, None)


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


class ViewStore(Protocol):
    async def places(self, partitions: Iterable[int], session: Any) -> dict[int, Tail]:
        """The tails of the partitions that have any."""

    async def load(self, customer_ids: Iterable[str], session: Any) -> dict[str, Held]:
        """The views that exist, by customer."""

    async def save(self, versions: Sequence[NewVersion], tails: Mapping[int, Tail], session: Any) -> dict[int, Tail]:
        """Store each at the tail of its partition's order of changes; return the new tails.

        Raises Stale if a version does not follow the one that is stored.
        """


class Views:
    """Keeps every customer's view up to date."""

    def __init__(self, store: ViewStore, now: Callable[[], datetime]) -> None:
        self.store = store
        self.now = now
        self.memory = Memory()

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One version per customer and batch, however many facts the batch holds."""
        by_customer = grouped(events)
        tails = await self.store.places({event.partition for event in events}, unit.session)
        before = await self.before(by_customer, tails, unit.session)
        now = to_the_millisecond(self.now())
        versions = [
            version
            for customer, facts in by_customer.items()
            if (version := folded(unit, customer, before.get(customer), facts, now))
        ]
        if versions:
            await self.save(versions, tails, unit.session)

    async def before(
        self, by_customer: Mapping[str, Sequence[Received]], tails: Mapping[int, Tail], session: Any
    ) -> dict[str, Held]:
        """The customers' views as they are, by heart as far as that can be trusted."""
        found: dict[str, Held] = {}
        for customer, events in by_customer.items():
            partition = events[0].partition
            if held := self.memory.recall(partition, tails.get(partition, START).mark, customer):
                found[customer] = held
        missing = by_customer.keys() - found.keys()
        return found | await self.store.load(missing, session) if missing else found

    async def save(self, versions: Sequence[NewVersion], tails: Mapping[int, Tail], session: Any) -> None:
        try:
            moved = await self.store.save(versions, tails, session)
        except Stale:
            self.memory.forget()
            raise
        for partition, tail in moved.items():
            own = (version.held for version in versions if version.partition == partition)
            self.memory.keep(partition, tails.get(partition, START).mark, tail.mark, own)


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
    """The customer's next version, told already, if the events have brought anything new."""
    was = before.known if before else NOTHING
    known, changes = changed(unit, was, events)
    held = next_version(customer, before, known, {origin_of(event.fact, event.origin) for event in changes}, now)
    if held is None:
        return None
    last, view = changes[-1], held.view()
    # The JSON is here already, and dear to make.
    unit.tell(CUSTOMERS, CustomerChanged.TYPE, b'{"view":%s}' % view, key=customer, cause=last)
    return NewVersion(
        held,
        view,
        known.identifiers() if known.contact is not was.contact else None,
        last.partition,
        int(before is None),
        known.sales.orders - was.sales.orders,
        known.sales.total - was.sales.total,
    )


def to_the_millisecond(moment: datetime) -> datetime:
    """What a database keeps of it, so that a view says the same time everywhere."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def grouped(events: Sequence[Received]) -> dict[str, list[Received]]:
    """Events by customer, each customer's in the order they came in."""
    by_customer: dict[str, list[Received]] = {}
    for event in events:
        by_customer.setdefault(event.subject, []).append(event)
    return by_customer
