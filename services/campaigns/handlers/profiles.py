"""Keeping every customer's profile and orders up to date with what the other services tell."""

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from services.campaigns.domain.profile import Order, Profile, fold, to_the_millisecond
from shared.clock import Clock
from shared.contracts.interactions import InteractionRecorded, OrderPlaced
from shared.messaging import Received, Unit

HISTORY = (OrderPlaced, InteractionRecorded)
"""Facts whose event time is when a customer acted. Others may be told at any time about any time."""


class Profiles(Protocol):
    """Where profiles and orders are kept."""

    async def load(self, customer_ids: Collection[str], session: Any) -> dict[str, Profile]:
        """As much of the profiles as folding needs: of contact and score only how new they are."""
        ...

    async def known_orders(self, order_ids: Collection[str], session: Any) -> set[str]: ...

    async def save(self, profiles: Sequence[Profile], orders: Sequence[Order], session: Any) -> None: ...


class Following:
    """Follows contacts, interactions, sales and scores."""

    def __init__(self, profiles: Profiles, clock: Clock) -> None:
        self._profiles = profiles
        self._clock = clock

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """One batch: load what it concerns, fold, save. An order that is already known changes nothing."""
        profiles = await self._profiles.load({event.subject for event in events}, unit.session)
        known = await self._known_orders(unit, events)
        orders = []
        for event in events:
            fact = event.fact
            if isinstance(fact, OrderPlaced):
                if fact.order_id in known:
                    continue
                known.add(fact.order_id)
                orders.append(order_of(fact))
            fold(profiles.setdefault(event.subject, Profile(event.subject)), fact)
        touched = [profile for profile in profiles.values() if profile.touched]
        await self._profiles.save(touched, orders, unit.session)
        await self._clock.witness(unit, [event for event in events if isinstance(event.fact, HISTORY)])

    async def _known_orders(self, unit: Unit, events: Sequence[Received]) -> set[str]:
        told = {event.fact.order_id for event in events if isinstance(event.fact, OrderPlaced)}
        return await self._profiles.known_orders(told, unit.session) if told else set()


def order_of(fact: OrderPlaced) -> Order:
    return Order(fact.order_id, fact.customer_id, to_the_millisecond(fact.ordered_at), fact.total)
