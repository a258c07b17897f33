"""Keeping every customer's profile and orders up to date with what the other services tell."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from services.campaigns.domain.orders import Orders
from services.campaigns.domain.profile import Profile, fold
from shared.clock import Clock
from shared.contracts.interactions import InteractionRecorded, OrderCancelled, OrderPlaced, OrderReturned
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


class Following:
    """Follows contacts, interactions, sales and scores."""

    def __init__(self, profiles: Profiles, clock: Clock) -> None:
        self._profiles = profiles
        self._clock = clock

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One batch: load what it concerns, fold, save. What was told of an order before changes nothing."""
        profiles = await self._profiles.load({event.subject for event in events}, unit.session)
        orders = await self._orders(unit, events)
        for event in events:
            fact = event.fact
            if isinstance(fact, SALE_FACTS) and not orders.take(fact):
                continue
            fold(profiles.setdefault(event.subject, Profile(event.subject)), fact)
        touched = [profile for profile in profiles.values() if profile.touched]
        await self._profiles.save(touched, orders, unit.session)
        await self._clock.witness(unit, [event for event in events if isinstance(event.fact, HISTORY)])

    async def _orders(self, unit: Unit, events: Sequence[Received]) -> Orders:
        ids = {event.fact.order_id for event in events if isinstance(event.fact, SALE_FACTS)}
        returns = {event.fact.return_id for event in events if isinstance(event.fact, OrderReturned)}
        return await self._profiles.orders(ids, returns, unit.session) if ids else Orders()
