"""Folds what comes for customers who are one, become one, or are no more: parts are folded, views are made of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from services.sync.domain.known import NOTHING, Known
from services.sync.domain.merging import absorbed, hidden, total
from services.sync.domain.view import Held, following, origin_of
from services.sync.handlers.folding import NewVersion, changed, told_version
from shared import circles
from shared.contracts.merges import Link, LinkFact
from shared.links import without
from shared.messaging import Received, Unit


class Trees(Protocol):
    """Links and parts."""

    async def take(self, facts: Iterable[LinkFact], session: Any) -> list[Link]: ...

    async def around(self, customers: Collection[str], session: Any) -> dict[str, str]: ...

    async def known(self, customers: Collection[str], session: Any) -> dict[str, Known]: ...

    async def keep(self, parts: Mapping[str, Known], gone: Iterable[str], session: Any) -> None: ...

    async def lanes(self, customers: Collection[str], session: Any) -> dict[str, int]: ...


class Views(Protocol):
    async def load(self, customer_ids: Iterable[str], session: Any) -> dict[str, Held]: ...


@dataclass
class Circle(circles.Circle[Held]):
    """All whom a batch concerns."""

    cause: Received = field(kw_only=True)
    """What changes nobody's part, a merge itself, is told as its effect."""
    news: list[Link] = field(default_factory=list)
    """The links that the batch has brought."""
    erased: set[str] = field(default_factory=set)
    """Who of them is no customer any more; what comes for them has no effect."""


@dataclass
class Folded:
    """New versions, and the partitions that others who write for the same customers must meet us in."""

    versions: list[NewVersion] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)


class Merging:
    """Customers who are not alone, and facts that make or end links."""

    def __init__(self, trees: Trees, views: Views) -> None:
        self.trees = trees
        self.views = views

    async def circle(self, linked: Sequence[Received], not_alone: Sequence[Received], session: Any) -> Circle:
        """Take over the links that the batch tells, and find everybody whom they and these events' customers concern."""
        ends = {end for event in linked for end in (event.fact.survivor, event.fact.absorbed)}
        known = await self.views.load(ends, session) if ends else {}
        gone = {one for one, held in known.items() if held.erased}
        facts = without(gone.intersection, [event.fact for event in linked])
        news = await self.trees.take(facts, session)
        found = await circles.circle_of(
            {*(event.subject for event in not_alone), *ends},
            lambda some: self.views.load(some, session),
            lambda some: self.trees.around(some, session),
        )
        erased = {one for one, held in found.held.items() if held.erased}
        found.leave_out(erased)
        cause = [*not_alone, *linked][-1]
        return Circle(found.held, found.customers, found.into, cause=cause, news=news, erased=erased)

    async def fold(self, unit: Unit, circle: Circle, events: Mapping[str, Sequence[Received]], now: datetime) -> Folded:
        """One version for each view that is different, whichever of its parts the facts have come for."""
        stored = await self.trees.known(circle.customers, unit.session)
        before = {one: part_of(circle.held.get(one), stored.get(one)) for one in circle.customers}
        after: dict[str, Known] = {}
        causes: dict[str, list[Received]] = {}
        for customer, known in before.items():
            after[customer], causes[customer] = changed(unit, known, events.get(customer, ()))
        lanes = await self._lanes(circle, events, unit.session)
        folded = Folded(touched=set(lanes.values()) if circle.news else set())
        for root, members in circle.trees().items():
            heard = [event for one in members for event in causes[one]]
            if heard:
                folded.touched.add(lanes[root])
            for customer, (known, others) in shown(root, {one: after[one] for one in members}).items():
                was = circle.held.get(customer)
                if held := next_of(was, customer, known, others, heard, now):
                    cause = heard[-1] if heard else circle.cause
                    folded.versions.append(told_version(unit, was, held, cause, lanes[customer]))
        await self._keep(circle, stored, before, after, unit.session)
        return folded

    async def _lanes(self, circle: Circle, events: Mapping[str, Sequence[Received]], session: Any) -> dict[str, int]:
        """The partition of each customer's own facts; of whom nothing has come yet, that of the fact that names them."""
        known = await self.trees.lanes(circle.customers, session)
        own = {customer: heard[-1].partition for customer, heard in events.items() if customer in circle.customers}
        return {one: own.get(one, known.get(one, circle.cause.partition)) for one in circle.customers}

    async def _keep(
        self,
        circle: Circle,
        stored: Mapping[str, Known],
        before: Mapping[str, Known],
        after: Mapping[str, Known],
        session: Any,
    ) -> None:
        trees = circle.trees()
        alone = {root for root, members in trees.items() if members == [root] and not after[root].restricted}
        changed_parts = {
            one: known
            for one, known in after.items()
            if one not in alone and (one not in stored or known != before[one])
        }
        await self.trees.keep(changed_parts, alone & stored.keys(), session)


def part_of(held: Held | None, stored: Known | None) -> Known:
    """What a customer has brought: kept beside of who is not alone, the view itself of who is."""
    if stored is not None:
        return stored
    return held.known if held is not None and held.alone else NOTHING


def shown(root: str, parts: Mapping[str, Known]) -> dict[str, tuple[Known, tuple[str, ...]]]:
    """Of each of those who are one, what their view shows, and who was merged into them."""
    others = tuple(sorted(parts.keys() - {root}))
    whole = total(root, parts)
    seen = hidden() if whole.restricted else whole
    return {root: (seen, others)} | {one: (absorbed(root), ()) for one in others}


def next_of(
    before: Held | None,
    customer: str,
    known: Known,
    members: tuple[str, ...],
    heard: Iterable[Received],
    now: datetime,
) -> Held | None:
    """The view's next version, if it is different. That customers are one, or two again, is news to every channel."""
    was, belonged = (before.known, before.members) if before else (NOTHING, ())
    if (was, belonged) == (known, members):
        return None
    origins = {origin_of(event.fact, event.origin) for event in heard}
    regrouped = belonged != members or was.merged_into != known.merged_into
    if not origins or regrouped or was.restricted != known.restricted:
        origins.add(None)
    return following(customer, before, known, origins, now)._replace(members=members)
