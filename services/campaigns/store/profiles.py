"""Profiles and orders in MongoDB.

Orders are rows of their own, so that a campaign's responses are a question and not a counter: it does not matter
whether an order came in before or after the campaign that it answers, nor how late.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from inspect import isawaitable
from typing import Any, cast

from pymongo import ReplaceOne, UpdateOne
from pymongo.errors import ExecutionTimeout

from services.campaigns.domain.conditions import Node
from services.campaigns.domain.orders import Orders
from services.campaigns.domain.profile import Profile
from services.campaigns.handlers.errors import TakesTooLong
from services.campaigns.store import documents
from services.campaigns.store.queries import query
from shared import mongo
from shared.mongo import Database, Document, Session

USABLE = {"restricted": {"$ne": True}}
"""Whoever is restricted is kept and in no segment."""
PATIENCE_MS = 30_000
"""A question that would scan for longer is given up; its client is long gone."""


class ProfileStore:
    """Collections `profiles` (one document per customer) and `orders` (one per order, and one per return)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._profiles = database["profiles"]
        self._orders = database["orders"]

    async def prepare(self) -> None:
        await self._profiles.create_index("score.segment")
        # Hardly anybody is in it; erasures ask.
        await self._profiles.create_index("contact.absorbed", sparse=True)
        # All that `bought` needs, so that it reads the index alone.
        await self._orders.create_index([("customer_id", 1), ("ordered_at", 1), ("total", 1)])

    async def load(self, customer_ids: Collection[str], session: Any = None) -> dict[str, Profile]:
        found = self._profiles.find({"_id": {"$in": list(customer_ids)}}, documents.FOLDED, session=session)
        return {document["_id"]: documents.profile(document) async for document in found}

    async def asked(self, customer_ids: Collection[str], session: Any = None) -> dict[str, Profile]:
        found = await self._asked(customer_ids, session)
        roots = {one.merged_into for one in found.values() if one.merged_into} - found.keys()
        known = found | await self._asked(roots, session) if roots else found
        return {one: known[root] for one in found if (root := found[one].merged_into or one) in known}

    async def _asked(self, customer_ids: Collection[str], session: Any) -> dict[str, Profile]:
        found = self._profiles.find({"_id": {"$in": list(customer_ids)}}, documents.ASKED, session=session)
        return {document["_id"]: documents.asked(document) async for document in found}

    async def orders(self, ids: Collection[str], returns: Collection[str], session: Any = None) -> Orders:
        rows = [*ids, *map(documents.return_id, returns)]
        found = [row async for row in self._orders.find({"_id": {"$in": rows}}, session=session)]
        orders = {row["_id"]: documents.order(row) for row in found if "of" not in row}
        return Orders(orders, {row["_id"]["return"] for row in found if "of" in row})

    async def save(self, profiles: Sequence[Profile], orders: Orders, session: Any = None) -> None:
        if profiles:
            await self._profiles.bulk_write([write(profile) for profile in profiles], ordered=False, session=session)
        new = [documents.order_row(order) for order in orders.new.values()]
        new += [documents.return_row(fact) for fact in orders.returns.values()]
        if new:
            await self._orders.insert_many(new, ordered=False, session=session)
        if orders.amended:
            amended = [documents.order_row(order) for order in orders.amended.values()]
            changes = [ReplaceOne({"_id": row["_id"]}, row) for row in amended]
            await self._orders.bulk_write(changes, ordered=False, session=session)

    async def count(self, rule: Node, now: datetime) -> int:
        with in_time():
            return await self._profiles.count_documents(people(rule, now), maxTimeMS=PATIENCE_MS)

    async def first(self, rule: Node, now: datetime, limit: int) -> list[str]:
        found = self._profiles.find(people(rule, now), {"_id": 1}).sort("_id", 1).limit(limit).max_time_ms(PATIENCE_MS)
        with in_time():
            return [document["_id"] async for document in found]

    async def everyone(self, rule: Node, now: datetime, chunk: int) -> AsyncIterator[list[str]]:
        """All customers of the rule as of one moment of the database, however long the caller takes for each chunk."""
        async with await snapshot_of(self._database) as snapshot:
            found = self._profiles.find(people(rule, now), {"_id": 1}, batch_size=chunk, session=snapshot)
            customers: list[str] = []
            async for document in found:
                customers.append(document["_id"])
                if len(customers) == chunk:
                    yield customers
                    customers = []
            if customers:
                yield customers

    async def bought(
        self, customer_ids: Collection[str], begin: datetime, end: datetime
    ) -> dict[str, tuple[int, Decimal]]:
        """Orders and their sum by customer, for orders after `begin` and until `end`."""
        within = {"customer_id": {"$in": list(customer_ids)}, "ordered_at": {"$gt": begin, "$lte": end}}
        figures = {"_id": "$customer_id", "orders": {"$sum": 1}, "revenue": {"$sum": "$total"}}
        found = await mongo.aggregate(self._orders, [{"$match": within}, {"$group": figures}])
        return {one["_id"]: (one["orders"], one["revenue"].to_decimal()) for one in found}


def people(rule: Node, now: datetime) -> Document:
    """Whoever was merged into another is asked for with them."""
    return {"$and": [query(rule, now), {"merged_into": None}, USABLE]}


@contextmanager
def in_time() -> Iterator[None]:
    try:
        yield
    except ExecutionTimeout:
        raise TakesTooLong from None


async def snapshot_of(database: Database) -> Session:
    """A session that reads one moment of the database throughout. Motor promises it, PyMongo returns it."""
    session: Any = database.client.start_session(snapshot=True)
    return cast("Session", await session if isawaitable(session) else session)


def write(profile: Profile) -> UpdateOne:
    """What is empty is taken out. A bond is counted, because setting what is there already would be no write."""
    sections: Document = {name: documents.section(profile, name) for name in sorted(profile.touched - {"bond"})}
    bonded = "bond" in profile.touched
    if bonded:
        sections |= documents.bond(profile)
    change: Document = {"$set": {name: value for name, value in sections.items() if value}}
    if gone := {name: "" for name, value in sections.items() if not value}:
        change["$unset"] = gone
    if bonded:
        change["$inc"] = {"bonds": 1}
    return UpdateOne({"_id": profile.customer_id}, change, upsert=True)
