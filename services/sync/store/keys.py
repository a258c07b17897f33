"""API keys: who has one and what for. Of the secret there is only its hash."""

from datetime import datetime
from typing import Any

from pymongo import ASCENDING
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from services.sync.handlers.keys import ApiKey

Document = dict[str, Any]


class KeyStore:
    def __init__(self, database: AsyncDatabase[Document]) -> None:
        self.keys = database["keys"]

    async def prepare(self) -> None:
        """Before any transaction: two of them must not race to create a collection."""
        await self.keys.create_index("_id")

    async def add(self, key: ApiKey, session: AsyncClientSession | None) -> None:
        await self.keys.insert_one({"_id": key.key_id, **key.model_dump(mode="json")}, session=session)

    async def revoke(self, key_id: str, at: datetime, session: AsyncClientSession | None) -> bool | None:
        """True: revoked now; False: it was already; None: there is no such key."""
        valid = {"_id": key_id, "revoked_at": None}
        result = await self.keys.update_one(valid, {"$set": {"revoked_at": at.isoformat()}}, session=session)
        if result.matched_count:
            return True
        return False if await self.keys.find_one({"_id": key_id}, {"_id": 1}, session=session) else None

    async def page(self, after: str, limit: int) -> list[ApiKey]:
        found = self.keys.find({"_id": {"$gt": after}}).sort("_id", ASCENDING).limit(limit)
        return [ApiKey.model_validate(document) for document in await found.to_list(None)]
