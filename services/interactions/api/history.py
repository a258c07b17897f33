"""HTTP: what happened between customers and company, and the orders among it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Query

from services.interactions.api.history_bodies import (
    InteractionItem,
    Name,
    OrderItem,
    OrdersSummary,
    Summary,
    interaction_item,
    order_item,
)
from services.interactions.api.positions import ById, ByNumber, ByTime, cut, moment_and_id, position
from services.interactions.domain import ORDER, Entry, Order, Tally
from shared.contracts.fact import Code, CustomerId
from shared.http import Cursor, Limit, Page, Problem
from shared.security import require

Cut = tuple[Sequence[Entry], str | None]
"""The entries of a page, and the cursor of the next."""


class Entries(Protocol):
    """What is asked of the store. Pages begin after the given entry."""

    async def entry(self, name: str) -> Entry | None: ...

    async def order_by_number(self, channel: str, number: str) -> Entry | None: ...

    async def of_customer(
        self, customers: Collection[str], *, kind: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Entry]: ...

    async def all(self, *, kind: str | None, after: str | None, limit: int) -> list[Entry]: ...

    async def orders(self, *, after: Order | None, limit: int) -> list[Entry]: ...

    async def figures(self) -> Tally: ...


class Links(Protocol):
    """Who was found to be one."""

    async def members(self, customer: str) -> Collection[str]: ...


def router(entries: Entries, links: Links, currency: str) -> APIRouter:
    """The routes of `/v1/interactions` and `/v1/orders`."""
    router = APIRouter(tags=["history"], dependencies=[Depends(require("interactions:read"))])
    _interactions(router, entries, links)
    _orders(router, entries, links, currency)
    return router


def _interactions(router: APIRouter, entries: Entries, links: Links) -> None:
    @router.get("/v1/interactions", summary="The history, of one customer newest first, or of all by id")
    async def list_interactions(
        customer_id: CustomerId | None = None, kind: Code | None = None, cursor: Cursor = None, limit: Limit = 100
    ) -> Page[InteractionItem]:
        """Of a customer who was merged with others the history of all of them; each line keeps the id it came under."""
        if customer_id:
            found, following = await _of_customer(entries, await links.members(customer_id), kind, cursor, limit)
        else:
            found, following = await _of_all(entries, kind, cursor, limit)
        return Page(items=[interaction_item(entry) for entry in found], next=following)

    @router.get("/v1/interactions/summary", summary="The history in figures")
    async def summarise_interactions() -> Summary:
        figures = await entries.figures()
        return Summary(**{name: getattr(figures, name) for name in Summary.model_fields})

    @router.get("/v1/interactions/{interaction_id}", summary="One line of the history")
    async def get_interaction(interaction_id: Name) -> InteractionItem:
        return interaction_item(_found(await entries.entry(interaction_id), "interaction"))


def _orders(router: APIRouter, entries: Entries, links: Links, currency: str) -> None:
    @router.get("/v1/orders", summary="Orders, of one customer newest first, or of all by channel and number")
    async def list_orders(
        customer_id: CustomerId | None = None,
        channel: Annotated[str | None, Query(max_length=500, description="With `number`: this very order.")] = None,
        number: Annotated[str | None, Query(max_length=200)] = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[OrderItem]:
        if channel is not None or number is not None:
            found, following = await _numbered(entries, channel, number)
        elif customer_id is not None:
            found, following = await _of_customer(entries, await links.members(customer_id), ORDER, cursor, limit)
        else:
            found, following = await _all_orders(entries, cursor, limit)
        return Page(items=[order_item(entry) for entry in found], next=following)

    @router.get("/v1/orders/summary", summary="All orders in figures")
    async def summarise_orders() -> OrdersSummary:
        figures = await entries.figures()
        return OrdersSummary(
            orders=figures.orders,
            total=figures.total,
            returned=figures.returned,
            cancelled=figures.cancelled,
            currency=currency,
        )

    @router.get("/v1/orders/{order_id}", summary="One order with its lines")
    async def get_order(order_id: Name) -> OrderItem:
        entry = await entries.entry(order_id)
        return order_item(_found(entry if entry and entry.kind == ORDER else None, "order"))


def _found(entry: Entry | None, what: str) -> Entry:
    if entry is None:
        raise Problem(404, detail=f"There is no {what} with this id.")
    return entry


async def _of_customer(
    entries: Entries, customers: Collection[str], kind: str | None, cursor: str | None, limit: int
) -> Cut:
    found = await entries.of_customer(customers, kind=kind, after=moment_and_id(cursor), limit=limit + 1)
    return cut(found, limit, lambda last: ByTime(at=last.at, id=last.name))


async def _of_all(entries: Entries, kind: str | None, cursor: str | None, limit: int) -> Cut:
    start = position(ById, cursor)
    found = await entries.all(kind=kind, after=start.id if start else None, limit=limit + 1)
    return cut(found, limit, lambda last: ById(id=last.name))


async def _all_orders(entries: Entries, cursor: str | None, limit: int) -> Cut:
    start = position(ByNumber, cursor)
    found = await entries.orders(after=(start.channel, start.number) if start else None, limit=limit + 1)
    return cut(found, limit, lambda last: ByNumber(channel=last.fact.channel, number=last.order or ""))


async def _numbered(entries: Entries, channel: str | None, number: str | None) -> Cut:
    if channel is None or number is None:
        missing = "channel" if channel is None else "number"
        raise Problem(422, "Invalid request", errors=[(f"query.{missing}", "channel and number go together")])
    entry = await entries.order_by_number(channel, number)
    return [entry] if entry else [], None
