"""What matching has learnt in MongoDB, and the records that it is learnt from."""

from collections.abc import Collection as Many, Sequence
from datetime import datetime
from typing import Any

from services.contacts.domain.matching.record import Record
from services.contacts.handlers.proposals import Kept, Model
from services.contacts.store.match_rows import knowledge_row, read_record
from services.contacts.store.matching import MatchStore
from shared import mongo
from shared.leases import Lease, MongoLease
from shared.mongo import Database

LEARNING = "learning"
WITH_KEYS: dict[str, Any] = {"keys.0": {"$exists": True}}
VERSIONS = 3
"""Versions that are kept: an instance may be reading the one before."""


class ModelStore:
    """The versions, when learning was last done, and samples."""

    def __init__(self, database: Database, store: MatchStore) -> None:
        self.store = store
        self.learning: Lease = MongoLease(database, "learning-lease")

    async def model(self) -> Model:
        return await self.store.model()

    async def learnt_at(self) -> tuple[datetime, int] | None:
        row = await self.store.notes.find_one({"_id": LEARNING})
        return (row["at"], row["records"]) if row else None

    async def size(self) -> int:
        return int(await self.store.records.estimated_document_count())

    async def count(self, party: str) -> int:
        return int(await self.store.records.count_documents({"party": party, **WITH_KEYS}))

    async def drawn(self, party: str, most: int) -> list[Kept]:
        drawing: list[dict[str, Any]] = [
            {"$match": {"party": party, **WITH_KEYS}},
            {"$sample": {"size": most}},
            {"$project": {"keys": 0}},
        ]
        return [read_record(row) for row in await mongo.aggregate(self.store.records, drawing)]

    async def kept(self, customers: Many[str]) -> dict[str, Kept]:
        return await self.store.kept(customers)

    async def holders(self, records: Sequence[Record]) -> list[list[str]]:
        return await self.store.holders(records)

    async def save_model(self, model: Model) -> None:
        of_party = {party: knowledge_row(one) for party, one in model.of_party.items()}
        await self.store.models.replace_one({"_id": model.version}, {"of_party": of_party}, upsert=True)
        await self.store.models.delete_many({"_id": {"$lte": model.version - VERSIONS}})

    async def note_learning(self, at: datetime, records: int) -> None:
        row = {"at": at, "records": records}
        await self.store.notes.replace_one({"_id": LEARNING}, row, upsert=True)
