"""What the erased were known by, as keyed digests, for as long as a file may be left that was handed in before.

A row of such a file must not bring them back (`handlers/late.py`). The place `log` of an erasure is done when no such file is
left; with it the digests go.
"""

from collections.abc import Collection as Many
from datetime import datetime

from pymongo import ASCENDING

from services.contacts.domain.naming import digest
from services.contacts.store.secret import Secret
from shared.mongo import Database, Session, ensure_collections

COLLECTION = "erased_names"
PURPOSE = "erased names"


class ErasedNames:
    """The digests. They name nobody by themselves: only who has a name in hand can ask about it."""

    def __init__(self, database: Database, secret: Secret | None = None) -> None:
        self._database = database
        self._names = database[COLLECTION]
        self._secret = secret or Secret(database)

    async def prepare(self) -> None:
        await ensure_collections(self._database, [COLLECTION])
        for field in ("digest", "erasure", "at"):
            await self._names.create_index([(field, ASCENDING)])
        await self._secret.key(PURPOSE)

    async def put(self, erasure_id: str, names: Many[str], at: datetime, session: Session | None) -> None:
        key = await self._secret.key(PURPOSE)
        rows = [{"digest": digest(key, one), "erasure": erasure_id, "at": at} for one in sorted(names)]
        if rows:
            await self._names.insert_many(rows, ordered=False, session=session)

    async def any(self, since: datetime, session: Session | None) -> bool:
        """Whether anybody was erased since then. Nearly always nobody, and then nobody asks further."""
        return await self._names.find_one({"at": {"$gte": since}}, {"_id": 1}, session=session) is not None

    async def among(self, names: Many[str], since: datetime, session: Session | None) -> set[str]:
        """Those of these names that somebody had who was erased since then."""
        key = await self._secret.key(PURPOSE)
        asked = {digest(key, one): one for one in names}
        wanted = {"digest": {"$in": list(asked)}, "at": {"$gte": since}}
        found = self._names.find(wanted, {"digest": 1}, session=session)
        return {asked[bytes(row["digest"])] async for row in found}

    async def forget(self, erasure_id: str, session: Session | None) -> None:
        await self._names.delete_many({"erasure": erasure_id}, session=session)
