"""Links between parties in MongoDB. They stand in the contact of their holder; here they are read from the other end."""

from collections.abc import Collection as Many, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from pymongo import ASCENDING, UpdateOne
from pymongo.errors import OperationFailure

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.handlers.hierarchies import Staff
from services.contacts.store.rows import read_known
from services.contacts.store.sight import seen
from shared import mongo
from shared.contracts.contacts import Contact
from shared.contracts.parties import HeldKind
from shared.mongo import Database, Session, ensure_collections

BY_OTHER_END = [("links.to", ASCENDING), ("_id", ASCENDING)]


class LinkStore:
    """Who is linked to whom, and what makes two writers of one hierarchy meet."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.contacts = database["contacts"]
        self.hierarchies = database["hierarchies"]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.hierarchies.name])
        # Nearly nobody has a link, and who has none is not in the index. With the ids, so that a page of the links to somebody
        # with 100,000 of them reads no more than the page.
        has_one = {"links.to": {"$exists": True}}
        await self.contacts.create_index(BY_OTHER_END, partialFilterExpression=has_one)
        # Of a time when pages were put in order each anew.
        with suppress(OperationFailure):
            await self.contacts.drop_index("links.to_1")

    async def published(self, customers: Iterable[str], session: Session | None = None) -> dict[str, Contact]:
        """By each of these ids the contact of who answers for it; unknown ones are absent."""
        wanted = set(customers)
        if not wanted:
            return {}
        found = await self._read({"_id": {"$in": list(wanted)}}, session)
        roots = {customer: root for customer, (_, root) in found.items() if root}
        missing = set(roots.values()) - found.keys()
        if missing:
            found |= await self._read({"_id": {"$in": list(missing)}}, session)
        return {one: found[roots.get(one, one)][0] for one in wanted if roots.get(one, one) in found}

    async def holders(
        self,
        others: Many[str],
        kinds: Many[HeldKind],
        *,
        after: str = "",
        limit: int = 1000,
        among: Many[str] | None = None,
        rows: Rows = EVERYBODY,
    ) -> list[str]:
        """Who has said of themselves a link of these kinds to any of these, in the order of their ids; parts one by one.

        Of those whom `rows` does not let be seen only the parts of others: what all of them make decides.
        """
        linked = {"to": {"$in": list(others)}, "kind": {"$in": list(kinds)}}
        place: dict[str, Any] = {"$gt": after} | ({} if among is None else {"$in": list(among)})
        wanted: dict[str, Any] = {"_id": place, "links.to": {"$in": list(others)}, "links": {"$elemMatch": linked}}
        if not rows.all:
            wanted["$or"] = [{"place.root": {"$gt": ""}}, seen(rows)]
        found = self.contacts.find(wanted, {"_id": 1}).sort("_id", ASCENDING).limit(limit)
        # The index of ids has their order, too, and would be read from end to end.
        return [row["_id"] async for row in found.hint(BY_OTHER_END)]

    async def staff(self, places: Many[str], now: datetime) -> list[Staff]:
        """Who works at these places now, counted; of the merged nobody, see `merged_staff`."""
        here = {"kind": "works-at", "to": {"$in": list(places)}}
        holds: dict[str, Any] = {
            **{f"links.{name}": value for name, value in here.items()},
            "links.ended": {"$ne": True},
            "$and": [
                {"$or": [{"links.valid_from": None}, {"links.valid_from": {"$lte": now}}]},
                {"$or": [{"links.valid_until": None}, {"links.valid_until": {"$gt": now}}]},
            ],
        }
        linked = {"links.to": {"$in": list(places)}, "links": {"$elemMatch": here}}
        pipeline: list[dict[str, Any]] = [
            {"$match": {**linked, "party": "person", "place": None}},
            {"$project": {"stage": 1, "links": 1}},
            {"$unwind": "$links"},
            {"$match": holds},
            {"$sort": {"links.to": 1}},
            {"$group": {"_id": "$_id", "stage": {"$first": "$stage"}, "places": {"$push": "$links.to"}}},
            {"$group": {"_id": {"stage": "$stage", "places": "$places"}, "people": {"$sum": 1}}},
        ]
        rows = await mongo.aggregate(self.contacts, pipeline)
        return [Staff(frozenset(row["_id"]["places"]), row["_id"]["stage"], row["people"]) for row in rows]

    async def merged_staff(self, places: Many[str], limit: int) -> list[Contact]:
        """Those of several parts, one of which has ever said that they work there; each once, and very few."""
        linked = {"$elemMatch": {"kind": "works-at", "to": {"$in": list(places)}}}
        wanted = {"links.to": {"$in": list(places)}, "links": linked, "place": {"$exists": True}}
        parts = [row["_id"] async for row in self.contacts.find(wanted, {"_id": 1}).limit(limit)]
        found = await self.published(parts)
        return list({contact.customer_id: contact for contact in found.values()}.values())

    async def meet(self, tops: Many[str], session: Session | None) -> None:
        """Write a row of each of these hierarchies, so that of two who change the same one the later is run again."""
        beats = [UpdateOne({"_id": top}, {"$inc": {"beat": 1}}, upsert=True) for top in sorted(tops)]
        await self.hierarchies.bulk_write(beats, session=session)

    async def _read(self, wanted: dict[str, Any], session: Session | None) -> dict[str, tuple[Contact, str | None]]:
        found = [read_known(row) async for row in self.contacts.find(wanted, session=session)]
        return {known.contact.customer_id: (known.published, known.place.root) for known in found}
