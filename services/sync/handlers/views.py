"""Folds a batch of facts into the customers' views, and tells the new versions."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from services.sync.domain.outgoing import Changed, Place
from services.sync.domain.view import Held
from services.sync.handlers.folding import NewVersion, folded
from services.sync.handlers.memory import Memory
from services.sync.handlers.merging import Folded, Merging, Trees
from services.sync.handlers.recent import Recent, Written
from shared.contracts.contacts import ContactRestricted
from shared.contracts.merges import LINK_FACTS
from shared.messaging import Received, Transient, Unit
from shared.messaging.envelope import rfc3339
from shared.moments import to_the_millisecond

GROUPING = (*LINK_FACTS, ContactRestricted)
"""Facts after which a view shows more, or less, than what has come for its customer."""


class Stale(Transient):
    """What was taken for a customer's newest version is none; the batch has to come again."""


class Tail(NamedTuple):
    """Where a partition's order of changes ends, and the mark of whoever has written there last."""

    position: int
    mark: str | None


START = Tail(0, None)


class Follower(Protocol):
    """Whoever goes on with what has been folded here."""

    @property
    def recent(self) -> Recent: ...

    def written(self, written: Written) -> None: ...


class ViewStore(Protocol):
    async def places(self, partitions: Iterable[int], session: Any) -> dict[int, Tail]:
        """The tails of the partitions that have any."""

    async def load(self, customer_ids: Iterable[str], session: Any) -> dict[str, Held]:
        """The views that exist, by customer."""

    async def save(
        self, versions: Sequence[NewVersion], tails: Mapping[int, Tail], session: Any, touched: Iterable[int] = ()
    ) -> dict[int, Tail]:
        """Store each at the tail of its partition's order of changes; return the new tails, those only touched too.

        Raises Stale if a version does not follow the one that is stored.
        """


class Views:
    """Keeps every customer's view up to date."""

    def __init__(
        self, store: ViewStore, trees: Trees, now: Callable[[], datetime], follower: Follower | None = None
    ) -> None:
        self.store = store
        self.merging = Merging(trees, store)
        self.now = now
        self.memory = Memory()
        self.follower = follower

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One version per customer and batch, however many facts the batch holds.

        Who is alone, as nearly all are, is told from who is not by the view itself, so that it costs nothing to ask.
        """
        by_customer = grouped(events)
        lives = self.follower.recent.lives if self.follower else 0
        tails = await self.store.places({event.partition for event in events}, unit.session)
        before = await self.before(by_customer, tails, unit.session)
        now = to_the_millisecond(self.now())
        together, circle = await self.together(unit, by_customer, before, now)
        versions = [
            version
            for customer, facts in by_customer.items()
            if customer not in circle and (version := folded(unit, customer, before.get(customer), facts, now))
        ]
        if circle:
            versions += together.versions
            lanes = together.touched | {version.partition for version in versions}
            tails |= await self.store.places(lanes - tails.keys(), unit.session)
        if versions or together.touched:
            moved = await self.save(versions, tails, unit.session, together.touched)
            if follower := self.follower:
                written = Written(
                    lives,
                    {partition: tails.get(partition, START).position for partition in moved},
                    {partition: tail.position for partition, tail in moved.items()},
                    changes(versions, tails),
                )
                unit.afterwards.append(lambda: follower.written(written))

    async def together(
        self, unit: Unit, by_customer: Mapping[str, Sequence[Received]], before: Mapping[str, Held], now: datetime
    ) -> tuple[Folded, Collection[str]]:
        """What becomes of those who are not alone, and who they are: also some of whom the batch says nothing."""
        special = [event for events in by_customer.values() for event in events if isinstance(event.fact, GROUPING)]
        linked = [event for event in special if isinstance(event.fact, LINK_FACTS)]
        not_alone = [by_customer[customer][-1] for customer, held in before.items() if not held.alone]
        not_alone += [event for event in special if isinstance(event.fact, ContactRestricted)]
        if not linked and not not_alone:
            return Folded(), ()
        circle = await self.merging.circle(linked, not_alone, unit.session)
        return await self.merging.fold(unit, circle, by_customer, now), circle.customers | circle.erased

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

    async def save(
        self, versions: Sequence[NewVersion], tails: Mapping[int, Tail], session: Any, touched: Iterable[int]
    ) -> dict[int, Tail]:
        try:
            moved = await self.store.save(versions, tails, session, touched)
        except Stale:
            self.memory.forget()
            raise
        for partition, tail in moved.items():
            own = (version.held for version in versions if version.partition == partition)
            self.memory.keep(partition, tails.get(partition, START).mark, tail.mark, own)
        return moved

    def forget(self, customers: Collection[str]) -> None:
        """Nothing of them is to be known by heart any more."""
        self.memory.drop(customers)
        if self.follower:
            self.follower.recent.forget()


def grouped(events: Sequence[Received]) -> dict[str, list[Received]]:
    """Events by customer, each customer's in the order they came in."""
    by_customer: dict[str, list[Received]] = {}
    for event in events:
        by_customer.setdefault(event.subject, []).append(event)
    return by_customer


def places(versions: Sequence[NewVersion], tails: Mapping[int, Tail]) -> list[Place]:
    """Where each version stands, stored at its partition's tail in this order."""
    ends: dict[int, int] = {}
    placed = []
    for version in versions:
        partition = version.partition
        ends[partition] = ends.get(partition, tails.get(partition, START).position) + 1
        placed.append(Place(partition, ends[partition]))
    return placed


def changes(versions: Sequence[NewVersion], tails: Mapping[int, Tail]) -> list[Changed]:
    """What channels are to be sent of the versions, as they would read it."""
    return [
        Changed(
            customer_id=held.customer_id,
            version=held.version,
            changed_at=rfc3339(held.changed_at),
            place=place,
            origins=held.origins,
            view=version.view,
            merged_into=held.merged_into,
            restricted=held.known.restricted,
        )
        for version, place in zip(versions, places(versions, tails), strict=True)
        for held in (version.held,)
    ]
