"""Contacts as they are read for a file."""

from collections.abc import Collection as Many

from pymongo import ASCENDING

from services.contacts.domain.survivorship import Known
from services.contacts.store.finding import whoever_fits
from services.contacts.store.rows import read_known
from shared.mongo import Database, Document


class ExportStore:
    """Pages of contacts."""

    def __init__(self, database: Database) -> None:
        self.contacts = database["contacts"]
        self._restrictions = database["restrictions"]

    async def piece(self, after: str, limit: int, typed: str | None, only: str | None) -> list[Known]:
        wanted: Document = {"_id": {"$gt": after}, "place.root": None}
        if only is not None:
            wanted["_id"]["$eq"] = only
        if typed is not None:
            wanted |= whoever_fits(typed)
        return [read_known(row) async for row in self.contacts.find(wanted).sort("_id", ASCENDING).limit(limit)]

    async def restricted(self, customers: Many[str], session: Session | None = None) -> set[str]:
        found = self._restrictions.find({"_id": {"$in": list(customers)}}, {"_id": 1}, session=session)
        return {row["_id"] async for row in found}

    async def load(self, customers: Many[str]) -> dict[str, Known]:
        return {row["_id"]: read_known(row) async for row in self.contacts.find({"_id": {"$in": list(customers)}})}
