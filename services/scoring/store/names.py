"""Numbers of products, categories and channels in MongoDB, given once and for ever, and the catalogue of products.

`_id` says what it is and how it is called. A category that orders tell stands beside one that was set by hand, which
counts more.
"""

from collections.abc import Collection, Mapping
from typing import cast

from pymongo import ASCENDING, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError

from services.scoring.handlers import Kind, Name, Product
from shared.mongo import Database, Document

DUPLICATE_KEY = 11000
COUNTER = "names"
MOST_KNOWN = 500_000
"""Numbers kept in memory: some 50 MB."""
AFTER_SLASH = "0"
"""The character that comes after the one between kind and text."""


class MongoNames:
    def __init__(self, database: Database) -> None:
        self._names = database["names"]
        self._notes = database["notes"]
        self._known: dict[Name, int] = {}
        self._categories: dict[str, str] = {}

    async def prepare(self) -> None:
        await self._names.create_index([("number", ASCENDING)], unique=True)

    async def numbers(self, names: Collection[Name]) -> dict[Name, int]:
        found = {name: self._known[name] for name in names if name in self._known}
        if missing := [name for name in names if name not in found]:
            found |= await self._find_or_give(missing)
            if len(self._known) + len(missing) > MOST_KNOWN:
                self._known.clear()
            self._known |= found
        return found

    async def _find_or_give(self, names: Collection[Name]) -> dict[Name, int]:
        found = await self._find(names)
        if new := [name for name in names if name not in found]:
            # Two who meet a name at the same moment both reserve numbers for it; those of the second stay unused.
            first = await self._reserve(len(new))
            documents = [{"_id": _id(name), "number": number} for number, name in enumerate(new, first)]
            try:
                await self._names.insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if any(fault["code"] != DUPLICATE_KEY for fault in error.details["writeErrors"]):
                    raise
            found |= await self._find(new)
        return found

    async def _find(self, names: Collection[Name]) -> dict[Name, int]:
        found = self._names.find({"_id": {"$in": [_id(name) for name in names]}}, {"number": 1})
        return {_name(document["_id"]): document["number"] async for document in found}

    async def _reserve(self, count: int) -> int:
        after: Document | None = await self._notes.find_one_and_update(
            {"_id": COUNTER}, {"$inc": {"next": count}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        assert after is not None, "an upsert leaves something"
        return cast("int", after["next"]) - count

    async def categorise(self, categories: Mapping[str, str]) -> None:
        new = {product: told for product, told in categories.items() if self._categories.get(product) != told}
        if new:
            writes = [
                UpdateOne({"_id": _id(Name("product", product))}, {"$set": {"told": told}})
                for product, told in new.items()
            ]
            await self._names.bulk_write(writes, ordered=False)
            if len(self._categories) > MOST_KNOWN:
                self._categories.clear()
            self._categories |= new

    async def describe(self, product: str, *, name: str | None, category: str | None, available: bool) -> Product:
        """What is set by hand replaces what was."""
        number = (await self.numbers([Name("product", product)]))[Name("product", product)]
        said = {"name": name, "category": category, "available": available}
        after: Document | None = await self._names.find_one_and_update(
            {"number": number}, {"$set": said}, return_document=ReturnDocument.AFTER
        )
        assert after is not None, "names are never taken away"
        return _product(after)

    async def texts(self, numbers: Collection[int]) -> dict[int, str]:
        found = self._names.find({"number": {"$in": list(numbers)}}, {"number": 1})
        return {document["number"]: _name(document["_id"]).text async for document in found}

    async def described(self, numbers: Collection[int]) -> dict[int, Product]:
        found = self._names.find({"number": {"$in": list(numbers)}})
        return {document["number"]: _product(document) async for document in found}

    async def product(self, product: str) -> Product | None:
        document = await self._names.find_one({"_id": _id(Name("product", product))})
        return _product(document) if document else None

    async def products(self, after: str | None = None, limit: int = 0) -> list[Product]:
        """By their names in the channels; all of them without a limit."""
        since = {"$gt": _id(Name("product", after))} if after is not None else {"$gte": "product/"}
        found = self._names.find({"_id": since | {"$lt": f"product{AFTER_SLASH}"}}).sort("_id", ASCENDING).limit(limit)
        return [_product(document) async for document in found]


def _id(name: Name) -> str:
    return f"{name.kind}/{name.text}"


def _name(id_: str) -> Name:
    kind, text = id_.split("/", 1)
    return Name(cast("Kind", kind), text)


def _product(document: Document) -> Product:
    category = document.get("category") or document.get("told")
    name, available = document.get("name"), document.get("available", True)
    return Product(_name(document["_id"]).text, document["number"], name, category, available)
