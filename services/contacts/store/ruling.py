"""The rules of survivorship in MongoDB, and the contacts that a changed rule may decide otherwise."""

from collections.abc import Sequence
from typing import Any

from pymongo import ASCENDING

from services.contacts.domain.ruling import Rule
from services.contacts.handlers.rulebook import Kept
from shared.leases import Lease, MongoLease
from shared.mongo import Database, Session, ensure_collections


class RuleStore:
    """Rules, one document a field."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lease: Lease = MongoLease(database, "survivorship-lease")
        self.rules = database["survivorship"]
        self.contacts = database["contacts"]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.rules.name, self.contacts.name])
        # Contacts of whom nothing is kept that does not hold, by default all, cost nothing.
        await self.contacts.create_index(
            [("also.of", ASCENDING), ("_id", ASCENDING)], partialFilterExpression={"also.of": {"$exists": True}}
        )

    async def all(self, session: Session | None = None) -> dict[str, Kept]:
        return {row["_id"]: _read(row) async for row in self.rules.find(session=session).sort("_id", ASCENDING)}

    async def save(self, field: str, kept: Kept, session: Session | None = None) -> None:
        row = vars(kept) | {"rule": kept.rule.model_dump(mode="json")}
        await self.rules.replace_one({"_id": field}, row, upsert=True, session=session)

    async def remove(self, field: str, session: Session | None = None) -> None:
        await self.rules.delete_one({"_id": field}, session=session)

    async def concerned(self, places: Sequence[str], after: str, limit: int, session: Session | None) -> list[str]:
        """Each question is answered by an index in the order of ids; beyond the end of a full answer nobody is passed over."""
        answers = [await self._said_otherwise(place, after, limit, session) for place in places]
        answers.append(await self._merged(after, limit, session))
        ends = [answer[-1] for answer in answers if len(answer) == limit]
        return sorted({one for answer in answers for one in answer if not ends or one <= min(ends)})

    async def _said_otherwise(self, place: str, after: str, limit: int, session: Session | None) -> list[str]:
        wanted: dict[str, Any] = {"also.of": place, "_id": {"$gt": after}}
        found = self.contacts.find(wanted, {"_id": 1}, session=session).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def _merged(self, after: str, limit: int, session: Session | None) -> list[str]:
        """The roots of those who were merged into somebody: one as often as they have others."""
        found = self.contacts.find({"place.root": {"$gt": after}}, {"place.root": 1}, session=session)
        return [row["place"]["root"] async for row in found.sort("place.root", ASCENDING).limit(limit)]


def _read(row: dict[str, Any]) -> Kept:
    del row["_id"]
    return Kept(**row | {"rule": Rule.model_validate(row["rule"])})
