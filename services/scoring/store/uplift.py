"""Models of uplift in MongoDB: a document a version, with the fitted models' texts compressed, and never read for a list."""

import zlib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.scoring.domain.fitting import Doubt
from services.scoring.domain.uplift.effects import Interval
from services.scoring.handlers import ActionLearnt, UpliftVersion
from shared.mongo import Database, Document

WITHOUT_TEXTS = {"texts": 0}
INTERVALS = ("qini", "over_segments", "whole")


class MongoUpliftModels:
    def __init__(self, database: Database) -> None:
        self._models = database["uplift_models"]

    async def latest(self) -> UpliftVersion | None:
        return _version(await self._models.find_one({}, WITHOUT_TEXTS, sort=[("_id", DESCENDING)]))

    async def version(self, version: int) -> UpliftVersion | None:
        return _version(await self._models.find_one({"_id": version}, WITHOUT_TEXTS))

    async def page(self, before: int | None, limit: int) -> list[UpliftVersion]:
        """The newest first."""
        older = {} if before is None else {"_id": {"$lt": before}}
        found = self._models.find(older, WITHOUT_TEXTS).sort("_id", DESCENDING).limit(limit)
        return [version async for document in found if (version := _version(document))]

    async def texts(self, version: int) -> dict[str, str]:
        found = await self._models.find_one({"_id": version}, {"texts": 1})
        return {one["action"]: zlib.decompress(one["text"]).decode() for one in found["texts"]} if found else {}

    async def add(self, version: UpliftVersion, texts: Mapping[str, str]) -> bool:
        said: Document = version._asdict() | {"actions": [_packed(action) for action in version.actions]}
        said["_id"] = said.pop("version")
        # Actions are named by people, and may have dots that no field may.
        said["texts"] = [{"action": action, "text": zlib.compress(text.encode())} for action, text in texts.items()]
        try:
            await self._models.insert_one(said)
        except DuplicateKeyError:
            return False
        return True


def _version(document: Document | None) -> UpliftVersion | None:
    if document is None:
        return None
    fields: dict[str, Any] = {name: document[name] for name in UpliftVersion._fields if name != "version"}
    return UpliftVersion(version=document["_id"], **fields | {"actions": tuple(map(_action, document["actions"]))})


def _packed(action: ActionLearnt) -> Document:
    fields = action._asdict()
    return fields | {name: asdict(fields[name]) if fields[name] else None for name in INTERVALS}


def _action(packed: Document) -> ActionLearnt:
    intervals = {name: Interval(**packed[name]) if packed[name] else None for name in INTERVALS}
    doubt = Doubt(packed["doubt"]) if packed["doubt"] else None
    return ActionLearnt(**{**packed, **intervals, "doubt": doubt})
