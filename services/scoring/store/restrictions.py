"""Customers whose data are kept and not used, a document each; most installations have none."""

from collections.abc import Collection

from shared.mongo import Database, Session, ensure_collections

COLLECTION = "restricted"


class MongoRestrictions:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._restricted = database[COLLECTION]

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])

    async def set(self, customer_id: str, *, restricted: bool, session: Session) -> None:
        if restricted:
            await self._restricted.replace_one({"_id": customer_id}, {}, upsert=True, session=session)
        else:
            await self._restricted.delete_one({"_id": customer_id}, session=session)

    async def any_of(self, customers: Collection[str]) -> bool:
        return await self._restricted.find_one({"_id": {"$in": list(customers)}}) is not None
