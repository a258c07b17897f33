"""Documents in MongoDB: their bytes in GridFS, and what is known of them in a collection beside."""

from collections.abc import AsyncIterator, Collection as Many
from datetime import datetime, timedelta
from typing import Any, cast

from gridfs.asynchronous import AsyncGridFSBucket
from gridfs.errors import NoFile
from pymongo import ASCENDING
from pymongo.asynchronous.database import AsyncDatabase

from services.contacts.domain.documents import Document
from services.contacts.handlers.attaching import Upload
from shared.mongo import Database, Session, ensure_collections

COLLECTION = "documents"
BUCKET = "documents_bytes"
CHUNK = 256 * 1024
ABANDONED = timedelta(hours=1)
"""Bytes of which nothing is known after so long are of an upload that broke off."""


class DocumentStore:
    """Bytes first, what is known of them in the transaction after: so nothing is known of bytes that are not there."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.documents = database[COLLECTION]
        self.beats = database["document_beats"]
        self.bucket = _bucket(database)

    async def prepare(self) -> None:
        await ensure_collections(self.database, [self.documents.name, self.beats.name])
        await self.documents.create_index([("customer_id", ASCENDING), ("_id", ASCENDING)])

    def upload(self, document_id: str) -> Upload:
        return cast("Upload", self.bucket.open_upload_stream_with_id(document_id, document_id))

    async def read(self, document_id: str) -> AsyncIterator[bytes]:
        """The bytes, piece by piece; none if they are gone."""
        try:
            stream = await self.bucket.open_download_stream(document_id)
        except NoFile:
            return
        while piece := await stream.read(CHUNK):
            yield bytes(piece)

    async def forget_bytes(self, document_id: str) -> None:
        try:
            await self.bucket.delete(document_id)
        except NoFile:
            return

    async def save(self, document: Document, session: Session | None) -> None:
        row = dict(vars(document))
        await self.documents.insert_one({"_id": row.pop("document_id"), **row}, session=session)

    async def of(self, customers: Many[str], session: Session | None = None) -> list[Document]:
        """The documents of all these customers, the earliest first."""
        found = self.documents.find({"customer_id": {"$in": list(customers)}}, session=session).sort("_id", ASCENDING)
        return [Document(document_id=row.pop("_id"), **row) async for row in found]

    async def mark(self, document_id: str, session: Session | None, *, sensitive: bool) -> None:
        await self.documents.update_one({"_id": document_id}, {"$set": {"sensitive": sensitive}}, session=session)

    async def touch(self, customer: str, session: Session | None) -> None:
        """Write a row of the customer's documents, so that of two writers the later is run again."""
        await self.beats.update_one({"_id": customer}, {"$inc": {"beat": 1}}, upsert=True, session=session)

    async def remove(self, document_id: str, session: Session | None) -> None:
        await self.documents.delete_one({"_id": document_id}, session=session)

    async def sweep(self, now: datetime) -> int:
        """Delete bytes that nothing is known of; how many. What is being uploaded is too young for it."""
        files = self.database[f"{BUCKET}.files"]
        old = [row["_id"] async for row in files.find({"uploadDate": {"$lt": now - ABANDONED}}, {"_id": 1})]
        known = {row["_id"] async for row in self.documents.find({"_id": {"$in": old}}, {"_id": 1})}
        for document_id in set(old) - known:
            await self.forget_bytes(document_id)
        return len(set(old) - known)


def _bucket(database: Any) -> Any:
    """The bucket of the driver in use: both have the same methods. `database`: of either, which types do not know."""
    if isinstance(database, AsyncDatabase):
        return AsyncGridFSBucket(database, BUCKET, chunk_size_bytes=CHUNK)
    from motor.motor_asyncio import AsyncIOMotorGridFSBucket

    return AsyncIOMotorGridFSBucket(database, BUCKET, chunk_size_bytes=CHUNK)
