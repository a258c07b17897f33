"""Customers in MongoDB: a document each, with the packed purchase days, the score last told, and a row for sweeps.

The score is kept as it was told, in JSON; figures that lists and sums need stand beside it. How they are written is in
`rows.py`.
"""

import asyncio
import itertools
from collections.abc import Collection, Sequence
from decimal import Decimal

from bson import Decimal128
from pymongo import ASCENDING, DESCENDING, UpdateOne

from services.scoring.domain.channels import FirstOrder
from services.scoring.domain.segments import SEGMENTS
from services.scoring.handlers import Known, Packed, Regrouped, Scored, Sheet, Summary
from services.scoring.store.bonds import ALWAYS_A_WRITE, regrouping
from services.scoring.store.rows import came_of, document_of, known_of, sheet_of
from shared import mongo
from shared.contracts.scoring import Score
from shared.moments import as_micros
from shared.mongo import Database, Document, Session

BUYING = {"purchases": {"$gt": 0}}
"""Whoever has an order left. Of the others there is nothing to predict or to add up."""
BY_VALUE = [("value", DESCENDING), ("_id", ASCENDING)]
SCORED = {"told": {"$exists": True}}
"""Whoever has ever had an order, and is not merged into another."""
KNOWN = dict.fromkeys(("days", "as_of", "ranks", "first", "bond"), 1)
SWEPT = {"row": 1, "ranks": 1, "due": 1, "came": 1}
TOLD = {"told": 1, "value": 1}
DECODED = 1_000
"""Documents that the driver decodes at once when many are read: some milliseconds, for which the event loop waits."""


class MongoCustomers:
    def __init__(self, database: Database) -> None:
        self._collection = database["customers"]

    async def prepare(self) -> None:
        # One index for both orders, because the value changes with every purchase, and each index with it.
        await self._collection.create_index([("segment", ASCENDING), *BY_VALUE])
        await self._collection.create_index([("due", ASCENDING)])

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]:
        found = self._collection.find({"_id": {"$in": list(customers)}}, KNOWN, session=session)
        return {document["_id"]: known_of(document) for document in await found.to_list(None)}

    async def save(self, scored: Sequence[Scored], session: Session) -> None:
        if scored:
            writes = [
                UpdateOne({"_id": one.customer_id}, {"$set": document_of(one), "$inc": ALWAYS_A_WRITE}, upsert=True)
                for one in scored
            ]
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def remove(self, customers: Collection[str], session: Session) -> int:
        return (await self._collection.delete_many({"_id": {"$in": list(customers)}}, session=session)).deleted_count

    async def regroup(self, some: Sequence[Regrouped], session: Session) -> None:
        writes = [
            UpdateOne(
                {"_id": one.customer_id},
                regrouping(one, as_micros(one.withdrawn_at) if one.withdrawn_at else None),
                upsert=True,
            )
            for one in some
        ]
        if writes:
            await self._collection.bulk_write(writes, ordered=False, session=session)

    async def sheet(self, after: str | None, limit: int) -> Sheet:
        newer = BUYING | ({"_id": {"$gt": after}} if after else {})
        found = self._collection.find(newer, SWEPT).sort("_id", ASCENDING).limit(limit).batch_size(DECODED)
        return sheet_of(await found.to_list(limit))

    async def packed(self, after: str | None, limit: int) -> Packed:
        newer = BUYING | ({"_id": {"$gt": after}} if after else {})
        look = {"days": 1, "came": 1}
        cursor = self._collection.find(newer, look).sort("_id", ASCENDING).limit(limit).batch_size(DECODED)
        found = await cursor.to_list(limit)
        return Packed([one["_id"] for one in found], [one["days"] for one in found], came_of(found))

    async def channel(self, code: int) -> str | None:
        """The name of the channel of this code. Without an index: it is asked for large channels only, once a day."""
        found = await self._collection.find_one({"came": code}, {"first": 1})
        return FirstOrder._make(found["first"]).channel if found else None

    async def ids(self, after: str | None, limit: int) -> Sequence[str]:
        """All of them, from the index alone."""
        newer = {"_id": {"$gt": after}} if after else {}
        found = await self._collection.find(newer, {"_id": 1}).sort("_id", ASCENDING).limit(limit).to_list(limit)
        return [document["_id"] for document in found]

    async def days(self, customers: Collection[str]) -> dict[str, bytes]:
        found = self._collection.find({"_id": {"$in": list(customers)}, **SCORED}, {"days": 1})
        return {document["_id"]: document["days"] async for document in found}

    async def due(self, day: int, limit: int) -> Sheet:
        passed = {"due": {"$lte": day}}
        found = self._collection.find(passed, SWEPT).sort("due", ASCENDING).limit(limit).batch_size(DECODED)
        return sheet_of(await found.to_list(limit))

    async def postpone(self, days: Sequence[tuple[str, int, int]]) -> None:
        if days:
            # Customers saved before days were kept have none.
            writes = [UpdateOne({"_id": one, "due": day or None}, {"$set": {"due": later}}) for one, day, later in days]
            await self._collection.bulk_write(writes, ordered=False)

    async def page(
        self, segment: str | None, sort: str, after: tuple[Decimal | None, str] | None, limit: int
    ) -> list[Score]:
        """Scores as last told, by value with the highest first, or by customer; `after` is the last one before."""
        if sort == "customer":
            query: Document = SCORED | ({"segment": segment} if segment else {})
            query |= {"_id": {"$gt": after[1]}} if after else {}
            found = await self._collection.find(query, TOLD).sort("_id", ASCENDING).limit(limit).to_list(None)
        else:
            segments = [segment] if segment else [*SEGMENTS, None]
            each = await asyncio.gather(*(self._by_value(one, after, limit) for one in segments))
            # Who changes segment meanwhile is found in both, and counts once.
            once = {document["_id"]: document for document in itertools.chain.from_iterable(each)}
            found = sorted(once.values(), key=_most_valuable_first)[:limit]
        return [Score.model_validate_json(document["told"]) for document in found]

    async def _by_value(
        self, segment: str | None, after: tuple[Decimal | None, str] | None, limit: int
    ) -> list[Document]:
        query: Document = {"segment": segment} | (_after(*after) if after else {}) | (SCORED if segment is None else {})
        return await self._collection.find(query, TOLD).sort(BY_VALUE).limit(limit).to_list(None)

    async def summary(self) -> list[Summary]:
        group = {
            "_id": "$segment",
            "customers": {"$sum": 1},
            "purchases": {"$sum": "$purchases"},
            "money": {"$sum": "$money"},
            "value": {"$sum": "$value"},
        }
        return [
            Summary(d["_id"], d["customers"], d["purchases"], _decimal(d["money"]), _decimal(d["value"]))
            for d in await mongo.aggregate(self._collection, [{"$match": BUYING}, {"$group": group}])
        ]


def _after(value: Decimal | None, customer: str) -> Document:
    """What comes after it by value, where those without a value are the last."""
    if value is None:
        return {"value": None, "_id": {"$gt": customer}}
    figure = Decimal128(value)
    same = {"value": figure, "_id": {"$gt": customer}}
    return {"$or": [same, {"value": {"$lt": figure}}, {"value": None}]}


def _most_valuable_first(document: Document) -> tuple[bool, Decimal, str]:
    """As the index by value sorts them: those without a value are the last."""
    value: Decimal128 | None = document["value"]
    return value is None, -value.to_decimal() if value else Decimal(0), document["_id"]


def _decimal(total: Decimal128 | int) -> Decimal:
    """A sum without any amount is the number 0."""
    return total.to_decimal() if isinstance(total, Decimal128) else Decimal(total)
