"""A profile store in memory. It passes the real one's tests."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from services.campaigns.domain.campaign import Campaign
from services.campaigns.domain.conditions import Node
from services.campaigns.domain.meaning import predicate
from services.campaigns.domain.merging import asked
from services.campaigns.domain.orders import Order, Orders
from services.campaigns.domain.profile import Profile, Section, Value
from services.campaigns.handlers.handing import Drawn, Handing, Note
from services.campaigns.handlers.holding import Holding
from services.campaigns.handlers.profiles import Following
from shared.clock import Clock

SECTIONS: dict[Section, tuple[str, ...]] = {
    "contact": ("contact", "attributes", "consents", "do_not_contact"),
    "score": ("score",),
    "sales": ("sales",),
    "interactions": ("interactions", "kinds"),
    "restricted": ("restricted",),
    "bond": ("merged_into", "members", "whole"),
}


def folded_part(profile: Profile) -> Profile:
    return replace(
        deepcopy(profile),
        contact=only("version", profile.contact),
        score=only("as_of", profile.score),
        whole=None,
        attributes={},
        consents={},
        do_not_contact=(),
    )


def only(name: str, values: dict[str, Value]) -> dict[str, Value]:
    return {name: values[name]} if name in values else {}


class NoCampaigns:
    """Where nobody is in any campaign."""

    async def open(self, now: datetime, session: Any) -> list[Campaign]:
        return []

    async def drawn(self, campaign_id: str, customer_ids: Collection[str], session: Any) -> list[Drawn]:
        return []

    async def note(self, campaign_id: str, notes: Mapping[str, Note], contacted: int, session: Any) -> None:
        raise AssertionError("nobody is in any campaign")

    async def next_due(self, now: datetime, besides: Collection[str]) -> str | None:
        return None

    async def take_due(self, campaign_id: str, now: datetime, limit: int, session: Any) -> tuple[Campaign, list[Drawn]]:
        raise AssertionError("nobody is in any campaign")

    async def resting(self) -> bool:
        return False

    async def moved(self, session: Any) -> None:
        """Nobody to meet."""


def following(profiles: Any, links: Any, clock: Clock) -> Following:
    """Without any campaign."""
    rows = NoCampaigns()
    return Following(profiles, links, Holding(rows, links, Handing(rows, profiles, clock, UTC), clock), clock)


class MemoryProfiles:
    def __init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self.kept_orders: dict[str, Order] = {}
        self.returns: set[str] = set()

    async def load(self, customer_ids: Collection[str], session: Any = None) -> dict[str, Profile]:
        return {one: folded_part(self.profiles[one]) for one in customer_ids if one in self.profiles}

    async def asked(self, customer_ids: Collection[str], session: Any = None) -> dict[str, Profile]:
        found = {one: self.profiles[one] for one in customer_ids if one in self.profiles}
        roots = {one: profile.merged_into or one for one, profile in found.items()}
        shown = {root: self.profiles[root] for root in roots.values() if root in self.profiles}
        whole = {root: replace(one, restricted=(one.whole or one.own()).restricted) for root, one in shown.items()}
        return {one: whole[root] for one, root in roots.items() if root in whole}

    async def orders(self, ids: Collection[str], returns: Collection[str], session: Any = None) -> Orders:
        known = {order_id: self.kept_orders[order_id] for order_id in ids if order_id in self.kept_orders}
        return Orders(known, set(returns) & self.returns)

    async def save(self, profiles: Sequence[Profile], orders: Orders, session: Any = None) -> None:
        for profile in profiles:
            kept = self.profiles.setdefault(profile.customer_id, Profile(profile.customer_id))
            for section in profile.touched:
                for name in SECTIONS[section]:
                    setattr(kept, name, deepcopy(getattr(profile, name)))
        self.kept_orders |= orders.new | orders.amended
        self.returns |= orders.returns.keys()

    async def count(self, rule: Node, now: datetime) -> int:
        return len(self._found(rule, now))

    async def first(self, rule: Node, now: datetime, limit: int) -> list[str]:
        return self._found(rule, now)[:limit]

    async def everyone(self, rule: Node, now: datetime, chunk: int) -> AsyncIterator[list[str]]:
        found = self._found(rule, now)
        for start in range(0, len(found), chunk):
            yield found[start : start + chunk]

    async def bought(
        self, customer_ids: Collection[str], begin: datetime, end: datetime
    ) -> dict[str, tuple[int, Decimal]]:
        figures: dict[str, tuple[int, Decimal]] = {}
        for order in self.kept_orders.values():
            if order.counts and order.customer_id in customer_ids and begin < order.ordered_at <= end:
                orders, revenue = figures.get(order.customer_id, (0, Decimal(0)))
                figures[order.customer_id] = orders + 1, revenue + order.total
        return figures

    def _found(self, rule: Node, now: datetime) -> list[str]:
        holds = predicate(rule, now)
        shown = {one: asked(profile) for one, profile in self.profiles.items()}
        return sorted(one for one, profile in shown.items() if profile and holds(profile))
