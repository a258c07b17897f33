"""The fields that a company has defined, in MongoDB, and the values that contacts have of them."""

from collections.abc import AsyncIterator
from typing import Any

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from services.contacts.domain.fields import Definition, Sensitivity
from services.contacts.handlers.catalogue import Field, Place, Work
from shared.leases import Lease, MongoLease
from shared.mongo import Database, Session, ensure_collections

NO_SUCH_INDEX = 27
BATCH = 1000
"""Values that are read at a time; judging them takes some milliseconds."""


class FieldStore:
    """Definitions, one document a field. Values stand in contacts, under `attributes` or under `sensitive`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lease: Lease = MongoLease(database, "fields-lease")
        self.fields = database["fields"]
        self.contacts = database["contacts"]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.fields.name])

    async def all(self, session: Session | None = None) -> dict[str, Field]:
        return {row["_id"]: _read(row) async for row in self.fields.find(session=session).sort("_id", ASCENDING)}

    async def save(self, name: str, field: Field, session: Session | None = None) -> None:
        row = {"definition": field.definition.model_dump(), "work": field.work, "after": field.after, "due": field.due}
        await self.fields.replace_one({"_id": name}, row, upsert=True, session=session)

    async def remove(self, name: str, session: Session | None = None) -> None:
        await self.fields.delete_one({"_id": name}, session=session)

    async def values(self, name: str) -> AsyncIterator[Any]:
        """Every value that a contact has of this field, of parts each by itself."""
        for place in ("attributes", "sensitive"):
            path = f"{place}.{name}"
            found = self.contacts.find({path: {"$exists": True}}, {path: 1}).batch_size(BATCH)
            async for row in found:
                yield row[place][name]

    async def having(self, name: str, place: Place, after: str, limit: int, session: Session | None) -> list[str]:
        """Who has a value of this field in this place, in the order of their ids."""
        wanted = {"_id": {"$gt": after}, f"{place}.{name}": {"$exists": True}}
        found = self.contacts.find(wanted, {"_id": 1}, session=session).sort("_id", ASCENDING).limit(limit)
        return [row["_id"] async for row in found]

    async def index(self, name: str, sensitivity: Sensitivity) -> None:
        """What search by this field needs: an index of who is alone, and one of what the merged make together."""
        for path in _paths(name, sensitivity):
            await self.contacts.create_index(
                [(path, ASCENDING), ("_id", ASCENDING)],
                name=path,
                partialFilterExpression={path: {"$exists": True}},
            )

    async def forget_index(self, name: str) -> None:
        everywhere: tuple[Sensitivity, ...] = ("public", "sensitive")
        for sensitivity in everywhere:
            for path in _paths(name, sensitivity):
                try:
                    await self.contacts.drop_index(path)
                except OperationFailure as error:
                    if error.code != NO_SUCH_INDEX:
                        raise


def _paths(name: str, sensitivity: Sensitivity) -> tuple[str, str]:
    place = "sensitive" if sensitivity == "sensitive" else "attributes"
    return f"{place}.{name}", f"place.golden.{place}.{name}"


def _read(row: dict[str, Any]) -> Field:
    work: Work | None = row["work"]
    return Field(Definition.model_validate(row["definition"]), work, row["after"], row["due"])
