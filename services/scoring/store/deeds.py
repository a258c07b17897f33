"""What customers do, a document each: four packed habits, the book by months, contracts, behaviour by day, and of those from
whom is learnt also their last basket.
"""

import asyncio
from collections.abc import Collection, Sequence

from pymongo import ASCENDING, UpdateOne

from services.scoring.domain.contracts.facts import Contracts
from services.scoring.domain.profit.book import Book
from services.scoring.domain.wishes.customer import Wishes
from services.scoring.domain.wishes.habits import Habits
from services.scoring.handlers import Change, Leaf, Ledger, PackedLesson, Remembered
from shared.mongo import Database, Document, Session, ensure_collections

COLLECTION = "deeds"
HABITS = ("products", "categories", "channels", "hours")
LARGE = ("contracts", "behaviour")
"""Up to a megabyte, and 65 kB."""
LOOKED_THROUGH = dict.fromkeys(("products", "lesson"), 1)


class MongoDeeds:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._deeds = database[COLLECTION]

    async def prepare(self) -> None:
        """Batches must not race to create the collection."""
        await ensure_collections(self._database, [COLLECTION])

    async def load(
        self,
        customers: Collection[str],
        months: Collection[int] | None = None,
        session: Session | None = None,
        whole: Collection[str] | None = None,
    ) -> dict[str, Remembered]:
        books = ("months",) if months is None else tuple(f"months.{month}" for month in months)
        parts: Document = dict.fromkeys((*HABITS, *books), 1)
        parts |= {name: 1 if whole is None else _only_of(whole, name) for name in LARGE}
        found = self._deeds.find({"_id": {"$in": list(customers)}}, parts, session=session)
        return {document["_id"]: _remembered(document) for document in await found.to_list(None)}

    async def wishes(self, customer_id: str) -> Wishes | None:
        document = await self._deeds.find_one({"_id": customer_id}, dict.fromkeys(HABITS, 1))
        return _wishes(document) if document else None

    async def save(self, changes: Sequence[Change], session: Session) -> None:
        writes = [
            UpdateOne({"_id": one.customer_id}, {"$set": changed}, upsert=True)
            for one in changes
            if (changed := _changes(one))
        ]
        if writes:
            await self._deeds.bulk_write(writes, ordered=False, session=session)

    async def leaf(self, after: str | None, limit: int) -> Leaf:
        found = await self._next(after, limit, LOOKED_THROUGH)
        products = [document.get("products") or Habits().pack() for document in found]
        return Leaf([document["_id"] for document in found], products, [_lesson(document) for document in found])

    async def ledger(self, after: str | None, limit: int) -> Ledger:
        found = await self._next(after, limit, {"months": 1})
        # In a thread: books of years take a while to read, during which events go on being scored.
        books = await asyncio.to_thread(lambda: [_book(document) for document in found])
        return Ledger([document["_id"] for document in found], books)

    async def contracts(self, customer_id: str) -> Contracts:
        return _contracts(await self._deeds.find_one({"_id": customer_id}, {"contracts": 1}) or {})

    async def signed(self, after: str | None, limit: int) -> tuple[Sequence[str], Sequence[Contracts]]:
        newer = {"contracts": {"$exists": True}} | ({"_id": {"$gt": after}} if after else {})
        found = await self._deeds.find(newer, {"contracts": 1}).sort("_id", ASCENDING).limit(limit).to_list(limit)
        contracts = await asyncio.to_thread(lambda: [_contracts(document) for document in found])
        return [document["_id"] for document in found], contracts

    async def behaviours(self, customers: Collection[str]) -> dict[str, bytes]:
        found = self._deeds.find({"_id": {"$in": list(customers)}}, {"behaviour": 1})
        return {d["_id"]: d["behaviour"] async for d in found if "behaviour" in d}

    async def _next(self, after: str | None, limit: int, wanted: Document) -> list[Document]:
        newer = {"_id": {"$gt": after}} if after else {}
        return await self._deeds.find(newer, wanted).sort("_id", ASCENDING).limit(limit).to_list(limit)


def _only_of(customers: Collection[str], name: str) -> Document:
    """The field of these customers alone, in a projection."""
    return {"$cond": [{"$in": ["$_id", list(customers)]}, f"${name}", "$$REMOVE"]}


def _remembered(document: Document) -> Remembered:
    return Remembered(_wishes(document), _book(document), _contracts(document), document.get("behaviour", b""))


def _wishes(document: Document) -> Wishes:
    return Wishes(*(Habits.unpack(document[part]) if part in document else Habits() for part in HABITS))


def _book(document: Document) -> Book:
    """Months share no sum, so their packed books together are the packed book."""
    return Book.unpack(b"".join(document.get("months", {}).values()))


def _contracts(document: Document) -> Contracts:
    return Contracts.unpack(document["contracts"]) if "contracts" in document else Contracts()


def _changes(one: Change) -> Document:
    liked = one.liked
    parts = zip(HABITS, (liked.products, liked.categories, liked.channels, liked.hours), strict=True)
    changes: Document = {name: part.pack() for name, part in parts if part is not None}
    changes |= {f"months.{month}": book.pack() for month, book in one.months.items()}
    if one.contracts is not None:
        changes["contracts"] = one.contracts.pack()
    if one.behaviour is not None:
        changes["behaviour"] = one.behaviour
    if liked.lesson:
        before, day, basket = liked.lesson
        changes["lesson"] = {"before": before.pack(), "day": day, "basket": sorted(basket)}
    return changes


def _lesson(document: Document) -> PackedLesson | None:
    lesson = document.get("lesson")
    return PackedLesson(lesson["before"], lesson["day"], lesson["basket"]) if lesson else None
