"""Models of churn in MongoDB: a document a version, with the fitted model's text compressed, and never read for a list."""

import zlib
from dataclasses import asdict
from typing import Any

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.promotion import Gain, Window
from services.scoring.handlers import ChurnVersion
from shared.mongo import Database, Document

WITHOUT_TEXT = {"text": 0}


class MongoChurnModels:
    def __init__(self, database: Database) -> None:
        self._models = database["churn_models"]

    async def latest(self) -> ChurnVersion | None:
        return _version(await self._models.find_one({}, WITHOUT_TEXT, sort=[("_id", DESCENDING)]))

    async def version(self, version: int) -> ChurnVersion | None:
        return _version(await self._models.find_one({"_id": version}, WITHOUT_TEXT))

    async def page(self, before: int | None, limit: int) -> list[ChurnVersion]:
        """The newest first."""
        older = {} if before is None else {"_id": {"$lt": before}}
        found = self._models.find(older, WITHOUT_TEXT).sort("_id", DESCENDING).limit(limit)
        return [version async for document in found if (version := _version(document))]

    async def text(self, version: int) -> str | None:
        found = await self._models.find_one({"_id": version}, {"text": 1})
        return zlib.decompress(found["text"]).decode() if found and found["text"] else None

    async def add(self, version: ChurnVersion, text: str | None) -> bool:
        said = version._asdict() | {"windows": [packed_window(window) for window in version.windows]}
        said["_id"] = said.pop("version")
        said["text"] = zlib.compress(text.encode()) if text else None
        try:
            await self._models.insert_one(said)
        except DuplicateKeyError:
            return False
        return True


def _version(document: Document | None) -> ChurnVersion | None:
    if document is None:
        return None
    fields: dict[str, Any] = {name: document[name] for name in ChurnVersion._fields if name != "version"}
    fields["doubt"] = Doubt(fields["doubt"]) if fields["doubt"] else None
    fields["windows"] = tuple(window_of(packed) for packed in fields["windows"])
    return ChurnVersion(version=document["_id"], **fields)


def packed_window(window: Window) -> Document:
    gain = asdict(window.gain)
    return {"gain": gain, "champion": window.champion.pack(), "challenger": window.challenger.pack()}


def window_of(packed: Document) -> Window:
    champion, challenger = (Calibration.unpack(packed[name]) for name in ("champion", "challenger"))
    return Window(Gain(**packed["gain"]), champion, challenger)
