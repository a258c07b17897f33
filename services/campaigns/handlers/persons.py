"""The persons behind a campaign's customers: whoever was found to be one counts once, with all that the person has bought.

A campaign draws survivors only, so that each person is in it once. Two of its customers may be found to be one later. Then the
person counts in the arm of the one who was registered first: that is decided by ids alone, as the draw was, and neither by what
they bought nor by who happened to survive. Both arms keep the persons that chance gave them (intention to treat).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from services.campaigns.domain.campaign import Campaign
from services.campaigns.handlers.campaigns import Response, Selection

Bought = tuple[int, Decimal]
NOTHING: Bought = (0, Decimal(0))


class Selections(Protocol):
    async def selected(self, campaign_id: str, customer_ids: Collection[str]) -> list[Selection]: ...


class Orders(Protocol):
    """Who knows what customers bought."""

    async def bought(self, customer_ids: Collection[str], begin: datetime, end: datetime) -> dict[str, Bought]: ...


class Tree(Protocol):
    @property
    def members(self) -> set[str]: ...


class Links(Protocol):
    async def trees(self, customers: Collection[str]) -> Sequence[Tree]:
        """All who are one, of those among these customers who are not alone."""
        ...


class Persons:
    """What the customers of a campaign, taken as persons, have bought."""

    def __init__(self, selections: Selections, orders: Orders, links: Links) -> None:
        self._selections = selections
        self._orders = orders
        self._links = links

    async def responses(self, campaign: Campaign, selected: Sequence[Selection]) -> list[Response]:
        """Of each of these customers of the campaign, what the person has bought in its window."""
        asked = [one.customer_id for one in selected]
        parts, counted = await self._persons(campaign.campaign_id, asked)
        bought = await self._orders.bought(
            {*asked, *(one for some in parts.values() for one in some)}, *campaign.window()
        )
        return [
            Response(*one, *NOTHING, counted[one.customer_id])
            if counted.get(one.customer_id, one.customer_id) != one.customer_id
            else Response(*one, *_sum(bought, parts.get(one.customer_id, {one.customer_id})))
            for one in selected
        ]

    async def _persons(self, campaign_id: str, asked: Collection[str]) -> tuple[dict[str, set[str]], dict[str, str]]:
        """Of those who are not alone: all parts, and the customer of the campaign as whom the person counts."""
        trees = await self._links.trees(asked)
        if not trees:
            return {}, {}
        everybody = {one for tree in trees for one in tree.members}
        drawn = {one.customer_id for one in await self._selections.selected(campaign_id, everybody)}
        parts = {one: tree.members for tree in trees for one in tree.members}
        counted = {one: min(tree.members & drawn) for tree in trees for one in tree.members & drawn}
        return parts, counted


def _sum(bought: dict[str, Bought], parts: Collection[str]) -> Bought:
    figures = [bought.get(one, NOTHING) for one in parts]
    return sum(orders for orders, _ in figures), sum((revenue for _, revenue in figures), Decimal(0))
