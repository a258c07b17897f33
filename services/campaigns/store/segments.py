"""Saved segments in MongoDB."""

from typing import Any

from pymongo.errors import DuplicateKeyError

from services.campaigns.domain.segment import Segment
from services.campaigns.handlers.errors import AlreadyThere
from shared.mongo import Database, ensure_collections


class SegmentStore:
    """Collection `segments`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._segments = database["segments"]

    async def prepare(self) -> None:
        await ensure_collections(self._database, ["segments"])

    async def add(self, segment: Segment, session: Any = None) -> None:
        try:
            await self._segments.insert_one(document(segment), session=session)
        except DuplicateKeyError as taken:
            raise AlreadyThere("segment", segment.segment_id) from taken

    async def get(self, segment_id: str) -> Segment | None:
        found = await self._segments.find_one({"_id": segment_id})
        return segment_of(found) if found else None

    async def page(self, after: str | None, limit: int) -> list[Segment]:
        asked = {"_id": {"$gt": after}} if after is not None else {}
        found = self._segments.find(asked).sort("_id", 1).limit(limit)
        return [segment_of(one) async for one in found]


def document(segment: Segment) -> dict[str, Any]:
    fields = segment.model_dump()
    return {"_id": fields.pop("segment_id"), **fields}


def segment_of(document: dict[str, Any]) -> Segment:
    return Segment(segment_id=document["_id"], **{name: value for name, value in document.items() if name != "_id"})
