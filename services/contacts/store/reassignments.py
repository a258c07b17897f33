"""Reassignments in MongoDB, and contacts by whose they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING

from services.contacts.handlers.reassigning import Assigned, Reassignment
from shared.leases import Lease, MongoLease
from shared.mongo import Database, Session, ensure_collections


class ReassignmentStore:
    """What was asked for and how far it is got, one document each. Contacts are found by the indexes of `store.sight`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lease: Lease = MongoLease(database, "reassigning-lease")
        self.reassignments = database["reassignments"]
        self.contacts = database["contacts"]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.reassignments.name])

    async def save(self, one: Reassignment, session: Session | None) -> None:
        row: dict[str, Any] = vars(one) | {"of": dict(one.of), "to": dict(one.to)}
        place = row.pop("reassignment_id")
        await self.reassignments.replace_one({"_id": place}, row, upsert=True, session=session)

    async def get(self, reassignment_id: str, session: Session | None = None) -> Reassignment | None:
        row = await self.reassignments.find_one({"_id": reassignment_id}, session=session)
        return _read(row) if row else None

    async def unfinished(self) -> Sequence[Reassignment]:
        return [_read(row) async for row in self.reassignments.find({"done_at": None}).sort("_id", ASCENDING)]

    async def whose(
        self, of: Mapping[Assigned, str | None], after: str, limit: int, session: Session | None
    ) -> Sequence[str]:
        each: list[dict[str, Any]] = [
            {"$or": [{name: value, "place.golden": None}, _of_the_merged(name, value)]} for name, value in of.items()
        ]
        wanted = {"_id": {"$gt": after}, "place.root": None, "$and": each}
        found = self.contacts.find(wanted, {"_id": 1}, session=session).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]


def _of_the_merged(name: str, value: str | None) -> dict[str, Any]:
    mine: dict[str, Any] = {f"place.golden.{name}": value}
    return mine if value is not None else mine | {"place.golden": {"$ne": None}}


def _read(row: dict[str, Any]) -> Reassignment:
    return Reassignment(reassignment_id=row.pop("_id"), **row)
