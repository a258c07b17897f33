"""What nights have come to, in MongoDB: a document a version, the fitted models' texts compressed and never read for a list."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Generic, TypeVar

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.scoring.domain.calibration import Calibration
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.promotion import Gain, Window
from services.scoring.domain.uplift.effects import Interval
from services.scoring.handlers import ActionLearnt, ChurnVersion, EndingVersion, UpliftVersion
from shared.mongo import Collection, Database, Document

WITHOUT_TEXTS = {"text": 0, "texts": 0}
INTERVALS = ("qini", "over_segments", "whole")
V = TypeVar("V", ChurnVersion, EndingVersion, UpliftVersion)
Change = Callable[[Document], Document]
"""Of the fields of a version that are more than plain values."""


class Versions(Generic[V]):
    """Versions of one kind; who keeps texts with them says how."""

    def __init__(self, models: Collection, kind: type[V], pack: Change, unpack: Change) -> None:
        self._models = models
        self._kind: Callable[..., V] = kind
        self._pack = pack
        self._unpack = unpack

    async def latest(self) -> V | None:
        found = await self._models.find_one({}, WITHOUT_TEXTS, sort=[("_id", DESCENDING)])
        return self._version(found) if found else None

    async def version(self, version: int) -> V | None:
        found = await self._models.find_one({"_id": version}, WITHOUT_TEXTS)
        return self._version(found) if found else None

    async def page(self, before: int | None, limit: int) -> list[V]:
        """The newest first."""
        older = {} if before is None else {"_id": {"$lt": before}}
        found = self._models.find(older, WITHOUT_TEXTS).sort("_id", DESCENDING).limit(limit)
        return [self._version(document) async for document in found]

    async def _add(self, version: V, texts: Document) -> bool:
        """False if another has added that version."""
        fields: dict[str, Any] = version._asdict()
        try:
            await self._models.insert_one({"_id": fields.pop("version"), **self._pack(fields), **texts})
        except DuplicateKeyError:
            return False
        return True

    def _version(self, document: Document) -> V:
        return self._kind(version=document.pop("_id"), **self._unpack(document))


class FittedModels(Versions[V]):
    """Versions with one model each, or none."""

    async def text(self, version: int) -> str | None:
        found = await self._models.find_one({"_id": version}, {"text": 1})
        return zlib.decompress(found["text"]).decode() if found and found["text"] else None

    async def add(self, version: V, text: str | None) -> bool:
        return await self._add(version, {"text": zlib.compress(text.encode()) if text else None})


def churn_models(database: Database) -> FittedModels[ChurnVersion]:
    return FittedModels(database["churn_models"], ChurnVersion, _packed_windows, _windows)


def ending_models(database: Database) -> FittedModels[EndingVersion]:
    return FittedModels(database["ending_models"], EndingVersion, _packed_windows, _windows)


class MongoUpliftModels(Versions[UpliftVersion]):
    """Versions with a model for each action that has proved itself."""

    def __init__(self, database: Database) -> None:
        super().__init__(database["uplift_models"], UpliftVersion, _packed_actions, _actions)

    async def texts(self, version: int) -> dict[str, str]:
        found = await self._models.find_one({"_id": version}, {"texts": 1})
        return {one["action"]: zlib.decompress(one["text"]).decode() for one in found["texts"]} if found else {}

    async def add(self, version: UpliftVersion, texts: Mapping[str, str]) -> bool:
        # Actions are named by people, and may have dots that no field may.
        packed = [{"action": action, "text": zlib.compress(text.encode())} for action, text in texts.items()]
        return await self._add(version, {"texts": packed})


def _packed_windows(fields: Document) -> Document:
    return fields | {"windows": [_packed_window(window) for window in fields["windows"]]}


def _windows(fields: Document) -> Document:
    return fields | {"windows": tuple(map(_window, fields["windows"])), "doubt": _doubt(fields["doubt"])}


def _packed_window(window: Window) -> Document:
    gain = asdict(window.gain)
    return {"gain": gain, "champion": window.champion.pack(), "challenger": window.challenger.pack()}


def _window(packed: Document) -> Window:
    champion, challenger = (Calibration.unpack(packed[name]) for name in ("champion", "challenger"))
    return Window(Gain(**packed["gain"]), champion, challenger)


def _packed_actions(fields: Document) -> Document:
    return fields | {"actions": [_packed_action(action) for action in fields["actions"]]}


def _actions(fields: Document) -> Document:
    return fields | {"actions": tuple(map(_action, fields["actions"]))}


def _packed_action(action: ActionLearnt) -> Document:
    fields = action._asdict()
    return fields | {name: asdict(fields[name]) if fields[name] else None for name in INTERVALS}


def _action(packed: Document) -> ActionLearnt:
    intervals = {name: Interval(**packed[name]) if packed[name] else None for name in INTERVALS}
    return ActionLearnt(**{**packed, **intervals, "doubt": _doubt(packed["doubt"])})


def _doubt(said: str | None) -> Doubt | None:
    return Doubt(said) if said else None
