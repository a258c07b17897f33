"""The history in MongoDB: one collection for interactions and orders, and the figures kept with it."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING, DeleteMany, IndexModel, InsertOne, UpdateOne

from services.interactions.domain import Changes, Entry, Order, Placed, Reversal, Standing, Tally, name_of
from services.interactions.store.documents import (
    SETTLED,
    since,
    to_document,
    to_entry,
    to_restocked,
    to_waiting,
    waiting_document,
)
from services.interactions.store.lines import sale_lines
from shared.mongo import Database, Document, Session, aggregate, ensure_collections

NEWEST_FIRST = [("at", DESCENDING), ("_id", DESCENDING)]
BY_NUMBER = [("channel", ASCENDING), ("order", ASCENDING)]
# Only orders have a number, and only they are worth this index. Queries repeat the condition to be served by it.
IS_ORDER = {"order": {"$exists": True}}
BY_RETURN = [("channel", ASCENDING), ("return", ASCENDING)]
IS_RETURN = {"return": {"$exists": True}}
RECORDED = {"waiting": {"$exists": False}}
"""What waits for its order is no line of the history yet, nor is the place that is kept for the order."""
INDEXES = [
    IndexModel([("customer", ASCENDING), *NEWEST_FIRST], name="customer_newest_first"),
    IndexModel(BY_NUMBER, name="orders_by_number", unique=True, partialFilterExpression=IS_ORDER),
    IndexModel(BY_RETURN, name="returns_by_number", unique=True, partialFilterExpression=IS_RETURN),
]
COUNTED = (
    "interactions", "orders", "duplicates", "duplicate_orders", "returns", "cancelled", "duplicate_returns",
    "duplicate_cancellations", "waiting", "contracts",
)  # fmt: skip
MONEY = ("total", "returned")
SALE = ("customer", "at", "currency", "total")
STANDING = dict.fromkeys(
    ("channel", "order", *SALE, "lines", "payment", "parcels", "returned", "cancelled_at", "restocked", "waiting"), 1
)


class HistoryStore:
    """Whoever adds has looked up what is known in the same transaction; unique indexes hold against everybody else."""

    def __init__(self, database: Database) -> None:
        self._history = database["history"].with_options(read_concern=SETTLED)
        self._figures = database["figures"].with_options(read_concern=SETTLED)

    async def prepare(self) -> None:
        """Create indexes and, because a transaction that makes one blocks others, the collections."""
        await self._history.create_indexes(INDEXES)
        await ensure_collections(self._figures.database, [self._figures.name])

    async def known(
        self, names: Collection[str], orders: Collection[Order], session: Session | None
    ) -> tuple[set[str], dict[Order, Standing]]:
        """Both in one question, because every question has a price of its own."""
        asked = {"$or": [{"_id": {"$in": list(names)}}, *_numbered("order", orders)["$or"]]}
        documents = await self._history.find(asked, STANDING, session=session).to_list(None)
        taken = {each["_id"] for each in documents} & {*names}
        numbered = {(each["channel"], each["order"]): each for each in documents if "order" in each}
        standing = {order: each for order, each in numbered.items() if order in orders}
        waiting = await self._waiting(standing.values(), session)
        return taken, {order: _standing(each, waiting) for order, each in standing.items()}

    async def known_returns(self, returns: Collection[Order], session: Session | None) -> set[Order]:
        asked, told = _numbered("return", returns), {"_id": 0, "channel": 1, "return": 1}
        found = self._history.find(asked, told, session=session)
        return {(document["channel"], document["return"]) async for document in found}

    async def change(self, changes: Changes, session: Session | None) -> None:
        """An awaited order has a document with its number, so that the index makes whoever brings the order meet us."""
        operations: list[Any] = [
            DeleteMany({"_id": {"$in": [_place(order), *(told.event.name for told in standing.waiting)]}})
            for order, standing in changes.arrived.items()
        ]
        for order, standing in changes.awaited.items():
            new = standing.waiting[standing.kept :]
            operations += [InsertOne(waiting_document(told)) for told in new]
            operations.append(_await(order, standing))
        operations += [_amend(standing) for standing in changes.amended.values()]
        await self._history.bulk_write(operations, session=session)

    async def _waiting(self, places: Iterable[Document], session: Session | None) -> dict[str, Reversal]:
        names = [name for place in places for name in place.get("waiting", ())]
        if not names:
            return {}
        found = self._history.find({"_id": {"$in": names}}, session=session)
        return {document["_id"]: to_waiting(document) async for document in found}

    async def add(self, entries: Sequence[Entry], session: Session | None) -> None:
        await self._history.insert_many([to_document(entry) for entry in entries], ordered=False, session=session)

    async def count(self, counter: str, tally: Tally, session: Session | None) -> None:
        more: Document = {name: getattr(tally, name) for name in COUNTED}
        more |= {name: Decimal128(getattr(tally, name)) for name in MONEY}
        await self._figures.update_one({"_id": counter}, {"$inc": more}, upsert=True, session=session)

    async def figures(self) -> Tally:
        """The sums over all batches ever recorded."""
        sums: Document = {name: {"$sum": f"${name}"} for name in (*COUNTED, *MONEY)}
        found = await aggregate(self._figures, [{"$group": {"_id": None, **sums}}])
        if not found:
            return Tally()
        figures: dict[str, Any] = {name: int(found[0][name]) for name in COUNTED}
        figures |= {name: _sum(found[0][name]) for name in MONEY}
        return Tally(**figures)

    async def entry(self, name: str) -> Entry | None:
        document = await self._history.find_one({"_id": name, **RECORDED})
        return to_entry(document) if document else None

    async def order_by_number(self, channel: str, number: str) -> Entry | None:
        document = await self._history.find_one({"channel": channel, "order": number, **RECORDED})
        return to_entry(document) if document else None

    async def of_customer(
        self, customers: Collection[str], *, kind: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Entry]:
        """The entries of one customer, or of several who are one, newest first, after a given one."""
        wanted: Document = {"customer": {"$in": list(customers)}} | ({"kind": kind} if kind else {})
        if after:
            at, name = after
            wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": name}}]
        return await self._page(wanted, NEWEST_FIRST, limit)

    async def all(self, *, kind: str | None, after: str | None, limit: int) -> list[Entry]:
        """Everybody's entries, by id, which is no order that means anything."""
        wanted: Document = RECORDED | ({"kind": kind} if kind else {})
        if after:
            wanted["_id"] = {"$gt": after}
        return await self._page(wanted, [("_id", ASCENDING)], limit)

    async def orders(self, *, after: Order | None, limit: int) -> list[Entry]:
        """Everybody's orders, by channel and the channel's own number."""
        wanted: Document = IS_ORDER | RECORDED
        if after:
            channel, number = after
            wanted["$or"] = [{"channel": {"$gt": channel}}, {"channel": channel, "order": {"$gt": number}}]
        return await self._page(wanted, BY_NUMBER, limit)

    async def _page(self, wanted: Document, order: Sequence[tuple[str, Any]], limit: int) -> list[Entry]:
        found = self._history.find(wanted).sort(list(order)).limit(limit)
        return [to_entry(document) async for document in found]


def _numbered(what: str, numbers: Collection[Order]) -> Document:
    """A channel's own numbers of orders or returns, as its index finds them."""
    by_channel: dict[str, list[str]] = {}
    for channel, number in numbers:
        by_channel.setdefault(channel, []).append(number)
    return {"$or": [{"channel": channel, what: {"$in": told}} for channel, told in by_channel.items()]}


def _standing(document: Document, waiting: dict[str, Reversal]) -> Standing:
    told = tuple(waiting[name] for name in document.get("waiting", ()))
    standing = Standing(waiting=told, kept=len(told))
    for reversal in told:
        standing.take(reversal)
    if not told:
        customer, at, currency, total = (document[name] for name in SALE)
        lines, how = sale_lines(document), (document.get("payment"), document.get("parcels"))
        standing.placed = Placed(document["_id"], customer, at, currency, total.to_decimal(), lines, *how)
        standing.returned = _sum(document.get("returned", 0))
        standing.cancelled_at = document.get("cancelled_at")
        standing.restocked = to_restocked(document)
    return standing


def _place(order: Order) -> str:
    """Keeps the place of an order that is awaited; no name that an event could have."""
    return f"waiting:{name_of(*order)}"


def _await(order: Order, standing: Standing) -> UpdateOne:
    channel, number = order
    waiting = [told.event.name for told in standing.waiting]
    told = {"channel": channel, "order": number, "waiting": waiting}
    return UpdateOne({"_id": _place(order)}, {"$set": told}, upsert=True)


def _amend(standing: Standing) -> UpdateOne:
    """Counted, because a return of no value sets what is there already, which is no write and meets nobody."""
    assert standing.placed is not None, "what is awaited has no document of its own"
    change: Document = {"$inc": {"amended": 1}}
    if changed := since(standing.returned, standing.cancelled_at, standing.restocked):
        change["$set"] = changed
    return UpdateOne({"_id": standing.placed.order_id}, change)


def _sum(amount: Decimal128 | int) -> Decimal:
    """A sum without any amount is the number 0."""
    return amount.to_decimal() if isinstance(amount, Decimal128) else Decimal(amount)
