"""Reviews in MongoDB: a document for each cut and horizon."""

from pymongo import DESCENDING

from services.scoring.domain.hindsight import Hindsight
from services.scoring.handlers import Review
from shared.mongo import Database, Document


class MongoReviews:
    def __init__(self, database: Database) -> None:
        self._reviews = database["reviews"]

    async def prepare(self) -> None:
        await self._reviews.create_index([("cut", DESCENDING), ("at", DESCENDING)])

    async def add(self, review: Review) -> None:
        document = {**review._asdict(), "hindsight": review.hindsight.pack()}
        await self._reviews.replace_one({"_id": f"{review.cut}:{review.horizon_days}"}, document, upsert=True)

    async def newest(self, limit: int = 1, before: int | None = None) -> list[Review]:
        older = {} if before is None else {"cut": {"$lt": before}}
        found = self._reviews.find(older, {"_id": 0}).sort([("cut", DESCENDING), ("at", DESCENDING)]).limit(limit)
        return [_review(document) async for document in found]


def _review(document: Document) -> Review:
    return Review(**{**document, "hindsight": Hindsight.unpack(document["hindsight"])})
