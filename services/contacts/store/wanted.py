"""What is wanted of contacts beside their names, as questions to MongoDB: the same rule as `domain.traits.has`.

A question is answered from the index of the one thing that fewest have, if they are few; all else is asked of those.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.digest import Passes, sieve
from services.contacts.domain.traits import Wanted
from services.contacts.store.rows import read_known
from services.contacts.store.sight import seen
from shared import mongo
from shared.contracts.contacts import Contact
from shared.mongo import Collection, Database, Document

BY_TRAIT = [("traits", ASCENDING), ("_id", ASCENDING), ("digest", ASCENDING), ("initials", ASCENDING)]
FEW = 2000
"""Contacts that are looked at one by one, whatever is found of them: some ten milliseconds."""
SIFTED = 2
"""Times as many, if each has a digest that tells whether it is to be looked at."""
EXAMINED = 5000
"""That are passed for one page where more than a few have each of what is asked, and perhaps nobody all of it."""
PIECE = 1000
"""Of them, ids that are read at a time."""


class WantedStore:
    """Contacts by what they have. `few`: how many are looked at one by one; `examined`: how many for one page."""

    def __init__(self, database: Database, few: int = FEW, examined: int = EXAMINED) -> None:
        self.contacts = database["contacts"]
        self.few, self.examined = few, examined

    async def prepare(self) -> None:
        await self.contacts.create_index(BY_TRAIT)

    async def found(
        self, wanted: Sequence[Wanted], after: str, limit: int, rows: Rows = EVERYBODY
    ) -> tuple[list[Contact], str | None]:
        """The contacts that follow an id and have all of this, as all of their parts make them; and behind which id to go on.

        A page may have fewer than the limit and not be the last.
        """
        page, next_ = await self.page(wanted, after, limit, rows)
        return [read_known(row).published for row in page], next_

    async def page(
        self, wanted: Sequence[Wanted], after: str, limit: int, rows: Rows, also: Document | None = None
    ) -> tuple[list[Document], str | None]:
        """The same as documents, of whom this holds `also`. Where nothing is `wanted` all are walked through."""
        asked, stop = query(wanted, after, rows), None
        if also:
            asked["$and"].append(also)
        several = len(wanted) > 1 or not rows.all
        if several or (wanted and also):
            narrow = await narrowest(self.contacts, rows, wanted, self.few)
            if narrow is not None:
                steps = [*among(narrow, asked), {"$sort": {"_id": 1}}, {"$limit": limit}]
                return _page(await mongo.aggregate(self.contacts, steps), limit, None)
            passes = sieve(wanted, rows) if several else None
            if passes and wanted and wanted[0].place == "traits":
                return await self._sifted(wanted[0], passes, asked, after, limit)
            if wanted and (stop := await self._ahead(wanted[0], after)):
                asked["_id"]["$lte"] = stop
        found = self.contacts.find(asked).sort("_id", ASCENDING).limit(limit)
        if len(wanted) == 1 and wanted[0].place == "traits":
            # The index of ids has their order, too, and may be what the database has taken for another trait.
            found = found.hint(BY_TRAIT)
        return _page([row async for row in found], limit, stop)

    async def _sifted(
        self, one: Wanted, passes: Passes, asked: Document, after: str, limit: int
    ) -> tuple[list[Document], str | None]:
        """Of those who have this the ids are read, with the digests behind them in the index, and of the contacts those who pass."""
        page: list[Document] = []
        for size in _pieces(self.examined):
            having = {"traits": one.key, "_id": {"$gt": after}}
            found = self.contacts.find(having, {"digest": 1}).hint(BY_TRAIT).sort("_id", ASCENDING)
            rows = await found.limit(size).batch_size(size).to_list(None)
            held = {"_id": {"$in": [row["_id"] for row in rows if passes(row.get("digest"))]}}
            meant = self.contacts.find({"$and": [held, asked]}).sort("_id", ASCENDING)
            page += await meant.limit(limit - len(page)).to_list(None)
            if len(page) == limit or len(rows) < size:
                return _page(page, limit, None)
            after = rows[-1]["_id"]
        return page, after

    async def _ahead(self, one: Wanted, after: str) -> str | None:
        """The id at which as many who have this are looked at as may be; None: there are no more. Read from indexes alone."""
        having = {"_id": {"$gt": after}, "$or": _ranges(one)}
        found = self.contacts.find(having, {"_id": 1}).sort("_id", ASCENDING).skip(self.examined).limit(1)
        if one.place == "traits":
            found = found.hint(BY_TRAIT)
        return next((row["_id"] for row in [row async for row in found]), None)


def _page(rows: list[Document], limit: int, stop: str | None) -> tuple[list[Document], str | None]:
    return rows, rows[-1]["_id"] if len(rows) == limit else stop


def _pieces(examined: int) -> list[int]:
    return [min(PIECE, examined - begin) for begin in range(0, examined, PIECE)]


def query(wanted: Sequence[Wanted], after: str, rows: Rows = EVERYBODY) -> Document:
    return {"_id": {"$gt": after}, "place.root": None, **all_of(wanted, rows)}


def all_of(wanted: Sequence[Wanted], rows: Rows) -> Document:
    """Of a root: that it has all of this, and that the key may see it."""
    return {"$and": [*map(_condition, wanted), seen(rows)]}


def _condition(one: Wanted) -> Document:
    if one.place == "traits":
        return {"traits": one.key, **_standing(one)} if one.at else {"traits": one.key}
    alone, together, *entries = _ranges(one)
    return {"$or": [{**alone, "place.golden": None}, together, *entries]}


def _standing(one: Wanted) -> Document:
    begun = {"$or": [{"since": None}, {"since": {"$lte": one.at}}]}
    going_on = {"$or": [{"until": None}, {"until": {"$gt": one.at}}]}
    role = {"$elemMatch": {"role": one.value, "$and": [begun, going_on]}}
    return {"$or": [{"roles": role, "place.golden": None}, {"place.golden.roles": role}]}


def _ranges(one: Wanted) -> list[Document]:
    """Where whoever has it stands, each a range of an index: of whom it is said alone, and of what the merged make together."""
    if one.place == "traits":
        return [{"traits": one.key}]
    path = f"{one.place}.{one.name}"
    return [{path: one.value}, {f"place.golden.{path}": one.value}, *([{"traits": one.key}] if one.entry else [])]


async def narrowest(
    contacts: Collection, rows: Rows, wanted: Sequence[Wanted], few: int, named: Passes | None = None
) -> Document | None:
    """Of all that is asked what fewest have, if at most so many have it. Counted in indexes alone, and no further.

    If that is a trait, and not all that is asked, it is those of them whose digest passes, and their initials if they are to be `named`
    so: of the others only the ids are read, and so they may be more.
    """
    asked = [*map(_ranges, wanted), *_limits(rows)]
    passes = sieve(wanted, rows) if len(asked) > 1 else None
    sifted = passes or named
    most = [few * SIFTED if sifted and _is_trait(ranges) else few for ranges in asked]
    counts = await asyncio.gather(*(_counted(contacts, *one) for one in zip(asked, most, strict=True)))
    found = [(count, ranges) for count, bound, ranges in zip(counts, most, asked, strict=True) if count <= bound]
    if not found:
        return None
    _, ranges = min(found, key=lambda one: one[0] / SIFTED if sifted and _is_trait(one[1]) else one[0])
    if not (sifted and _is_trait(ranges)):
        return {"$or": ranges}
    held = await contacts.find(ranges[0], {"digest": 1, "initials": 1}).batch_size(few * SIFTED + 1).to_list(None)
    meant = [row for row in held if passes is None or passes(row.get("digest"))]
    return {"_id": {"$in": [row["_id"] for row in meant if named is None or named(row.get("initials"))]}}


def _is_trait(ranges: Sequence[Document]) -> bool:
    return ranges[0].keys() == {"traits"}


def _limits(rows: Rows) -> list[list[Document]]:
    """Likewise of what a key is limited to (`store/sight.py`)."""
    limits = (("territory", rows.territories), ("owner", rows.owners))
    paths = [((name, f"place.golden.{name}"), allowed) for name, allowed in limits if allowed]
    return [[{path: one} for path in both for one in sorted(allowed)] for both, allowed in paths]


async def _counted(contacts: Collection, ranges: Sequence[Document], few: int) -> int:
    """How many stand in these ranges; more than `few`: so many or more."""
    counted = 0
    for one in ranges:
        if counted <= few:
            answer = await contacts.database.command("count", contacts.name, query=one, limit=few + 1)
            counted += int(answer["n"])
    return counted


def among(narrow: Document, asked: Document) -> list[dict[str, Any]]:
    """Whoever is meant, of those few. The limit keeps the database from asking another index first."""
    return [{"$match": narrow}, {"$limit": 4 * FEW}, {"$match": asked}]
