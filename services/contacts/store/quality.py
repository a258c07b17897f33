"""The report of all contacts' quality in MongoDB."""

from collections.abc import Collection as Many
from typing import Any

from pymongo import ASCENDING

from services.contacts.domain.survivorship import Known
from services.contacts.store.rows import read_known
from shared.leases import Lease, MongoLease
from shared.mongo import Database

BASE = "base"
"""The one report there is: of all contacts."""


class QualityStore:
    """The report of all contacts' quality, and what it is made of."""

    def __init__(self, database: Database) -> None:
        self.lease: Lease = MongoLease(database, "quality-lease")
        self.reports = database["quality"]
        self.contacts = database["contacts"]

    async def save_report(self, report: dict[str, Any]) -> None:
        await self.reports.replace_one({"_id": BASE}, {"report": report}, upsert=True)

    async def report(self) -> dict[str, Any] | None:
        row = await self.reports.find_one({"_id": BASE})
        return row["report"] if row else None

    async def piece(self, after: str, limit: int) -> list[Known]:
        wanted = {"_id": {"$gt": after}, "place.root": None}
        return [read_known(row) async for row in self.contacts.find(wanted).sort("_id", ASCENDING).limit(limit)]

    async def load(self, customers: Many[str]) -> dict[str, Known]:
        return {row["_id"]: read_known(row) async for row in self.contacts.find({"_id": {"$in": list(customers)}})}
