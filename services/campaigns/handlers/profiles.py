"""Keeping every customer's profile and orders up to date with what the other services tell."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol

from services.campaigns.domain.merging import join
from services.campaigns.domain.orders import Orders
from services.campaigns.domain.profile import Profile, fold
from services.campaigns.handlers.holding import Holding
from shared.circles import Among, Circle, circle_of, nobody
from shared.clock import Clock
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.merges import LINK_FACTS, Link, LinkFact
from shared.links import without
from shared.messaging import Received, Unit

SALE_FACTS = (OrderPlaced, OrderReturned, OrderCancelled)
HISTORY = (*SALE_FACTS, InteractionRecorded)
"""Facts whose event time is when a customer acted. Others may be told at any time about any time."""


class Profiles(Protocol):
    """Where profiles and orders are kept."""

    async def load(self, customer_ids: Collection[str], session: Any) -> dict[str, Profile]:
        """As much of the profiles as folding needs: of contact and score only how new they are."""
        ...

    async def orders(self, ids: Collection[str], returns: Collection[str], session: Any) -> Orders:
        """Those of the ids of orders and of returns that are known; they may be alike."""
        ...

    async def save(self, profiles: Sequence[Profile], orders: Orders, session: Any) -> None: ...


class Links(Protocol):
    """Where links between customers who are one are kept."""

    async def take(self, facts: Iterable[LinkFact], session: Any) -> list[Link]: ...

    async def around(self, customers: Collection[str], session: Any) -> dict[str, str]: ...

    async def forget(self, customers: Collection[str], session: Any) -> int: ...


class Following:
    """Follows contacts, interactions, sales and scores."""

    def __init__(self, profiles: Profiles, links: Links, holding: Holding, clock: Clock) -> None:
        self._profiles = profiles
        self._holding = holding
        self._links = links
        self._clock = clock
        self.erased: Among = nobody
        """Who is no customer any more, and so one with nobody."""

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One batch: load what it concerns, fold, save. What was told of an order before changes nothing."""
        profiles = await self._profiles.load({event.subject for event in events}, unit.session)
        linked = without(self.erased, [event.fact for event in events if isinstance(event.fact, LINK_FACTS)])
        moved = bool(linked and await self._links.take(linked, unit.session))
        ends = {one.customer_id for one in profiles.values() if one.merged_into or one.members}
        ends |= {end for fact in linked if moved for end in (fact.survivor, fact.absorbed)}
        circle = await self._circle(profiles, ends, unit.session) if ends else None
        orders = await self._orders(unit, events)
        for event in events:
            fact = event.fact
            if isinstance(fact, SALE_FACTS) and not orders.take(fact):
                continue
            fold(profiles.setdefault(event.subject, Profile(event.subject)), fact)
        if circle:
            join(profiles, circle.trees(), linked=moved)
        touched = [profile for profile in profiles.values() if profile.touched]
        await self._profiles.save(touched, orders, unit.session)
        if circle and moved:
            # Who may be contacted is read from what has just been saved.
            await self._holding.follow(unit, circle.trees())
        await self._clock.witness(unit, [event for event in events if isinstance(event.fact, HISTORY)])

    async def leave(self, unit: Unit, erased: Collection[str]) -> int:
        """Whoever was one with somebody erased is so no more: figures, campaigns and links. How many links there were."""
        profiles: dict[str, Profile] = {}
        circle = await self._circle(profiles, erased, unit.session)
        circle.leave_out(erased)
        if trees := circle.trees():
            join(profiles, trees, linked=True)
            await self._profiles.save([profiles[one] for one in circle.customers], Orders(), unit.session)
            await self._holding.follow(unit, trees)
        return await self._links.forget(erased, unit.session)

    async def _circle(self, profiles: dict[str, Profile], ends: Collection[str], session: Any) -> Circle[Profile]:
        """These, who are not alone, become one or are no more, with all whom that concerns; their profiles too."""
        circle = await circle_of(
            ends, lambda some: self._profiles.load(some, session), lambda some: self._links.around(some, session)
        )
        circle.leave_out(self.erased(circle.customers))
        profiles |= {one: profile for one, profile in circle.held.items() if one not in profiles}
        return circle

    async def _orders(self, unit: Unit, events: Sequence[Received]) -> Orders:
        ids = {event.fact.order_id for event in events if isinstance(event.fact, SALE_FACTS)}
        returns = {event.fact.return_id for event in events if isinstance(event.fact, OrderReturned)}
        return await self._profiles.orders(ids, returns, unit.session) if ids else Orders()
