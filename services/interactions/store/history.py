"""The history in MongoDB: one collection for interactions and orders, and the figures kept with it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bson.decimal128 import Decimal128
from pymongo import ASCENDING, DESCENDING, IndexModel

from services.interactions.domain import Entry, Order, Tally
from services.interactions.store.documents import SETTLED, to_document, to_entry
from shared.mongo import Database, Document, Session, aggregate, ensure_collections

NEWEST_FIRST = [("at", DESCENDING), ("_id", DESCENDING)]
BY_NUMBER = [("channel", ASCENDING), ("order", ASCENDING)]
# Only orders have a number, and only they are worth this index. Queries repeat the condition to be served by it.
IS_ORDER = {"order": {"$exists": True}}
INDEXES = [
    IndexModel([("customer", ASCENDING), *NEWEST_FIRST], name="customer_newest_first"),
    IndexModel(BY_NUMBER, name="orders_by_number", unique=True, partialFilterExpression=IS_ORDER),
]
COUNTED = ("interactions", "orders", "duplicates", "duplicate_orders")


class HistoryStore:
    """Whoever adds has looked up what is known in the same transaction; unique indexes hold against everybody else."""

    def __init__(self, database: Database) -> None:
        self._history = database["history"].with_options(read_concern=SETTLED)
        self._figures = database["figures"].with_options(read_concern=SETTLED)

    async def prepare(self) -> None:
        """Create indexes and, because a transaction that makes one blocks others, the collections."""
        await self._history.create_indexes(INDEXES)
        await ensure_collections(self._figures.database, [self._figures.name])

    async def known_names(self, names: Collection[str], session: Session | None) -> set[str]:
        found = self._history.find({"_id": {"$in": list(names)}}, {"_id": 1}, session=session)
        return {document["_id"] async for document in found}

    async def known_orders(self, orders: Collection[Order], session: Session | None) -> set[Order]:
        numbers: dict[str, list[str]] = {}
        for channel, number in orders:
            numbers.setdefault(channel, []).append(number)
        wanted = [{"channel": channel, "order": {"$in": told}} for channel, told in numbers.items()]
        found = self._history.find({"$or": wanted}, {"_id": 0, "channel": 1, "order": 1}, session=session)
        return {(document["channel"], document["order"]) async for document in found}

    async def add(self, entries: Sequence[Entry], session: Session | None) -> None:
        await self._history.insert_many([to_document(entry) for entry in entries], ordered=False, session=session)

    async def count(self, counter: str, tally: Tally, session: Session | None) -> None:
        more: Document = {name: getattr(tally, name) for name in COUNTED} | {"total": Decimal128(tally.total)}
        await self._figures.update_one({"_id": counter}, {"$inc": more}, upsert=True, session=session)

    async def figures(self) -> Tally:
        """The sums over all batches ever recorded."""
        sums: Document = {name: {"$sum": f"${name}"} for name in (*COUNTED, "total")}
        found = await aggregate(self._figures, [{"$group": {"_id": None, **sums}}])
        if not found:
            return Tally()
        counted = {name: int(found[0][name]) for name in COUNTED}
        return Tally(total=found[0]["total"].to_decimal(), **counted)

    async def entry(self, name: str) -> Entry | None:
        document = await self._history.find_one({"_id": name})
        return to_entry(document) if document else None

    async def order_by_number(self, channel: str, number: str) -> Entry | None:
        document = await self._history.find_one({"channel": channel, "order": number})
        return to_entry(document) if document else None

    async def of_customer(
        self, customer_id: str, *, kind: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Entry]:
        """One customer's entries, newest first, after a given one."""
        wanted: Document = {"customer": customer_id} | ({"kind": kind} if kind else {})
        if after:
            at, name = after
            wanted["$or"] = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": name}}]
        return await self._page(wanted, NEWEST_FIRST, limit)

    async def all(self, *, kind: str | None, after: str | None, limit: int) -> list[Entry]:
        """Everybody's entries, by id, which is no order that means anything."""
        wanted: Document = {"kind": kind} if kind else {}
        if after:
            wanted["_id"] = {"$gt": after}
        return await self._page(wanted, [("_id", ASCENDING)], limit)

    async def orders(self, *, after: Order | None, limit: int) -> list[Entry]:
        """Everybody's orders, by channel and the channel's own number."""
        wanted: Document = dict(IS_ORDER)
        if after:
            channel, number = after
            wanted["$or"] = [{"channel": {"$gt": channel}}, {"channel": channel, "order": {"$gt": number}}]
        return await self._page(wanted, BY_NUMBER, limit)

    async def _page(self, wanted: Document, order: Sequence[tuple[str, Any]], limit: int) -> list[Entry]:
        found = self._history.find(wanted).sort(list(order)).limit(limit)
        return [to_entry(document) async for document in found]
