"""Versions of the models' parameters in MongoDB, the last refit, the last sweep, and the lease of who refits."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from pymongo import DESCENDING
from pymongo.errors import DuplicateKeyError

from services.scoring.domain.gamma_gamma import GammaGamma
from services.scoring.domain.mbg_cnbd import MbgCnbd
from services.scoring.domain.mbg_nbd import MbgNbd
from services.scoring.domain.model import Fit, Model, Parameters
from services.scoring.domain.population import Standing
from services.scoring.domain.purchasing import Purchasing
from services.scoring.domain.tempo import Tempo
from services.scoring.domain.yearly import Season
from services.scoring.handlers import Report
from services.scoring.store.channels import by_channel
from shared.leases import MongoLease
from shared.mongo import Database, Document

REFIT, SWEEP, LEASE, STANDING = "refit", "sweep", "lease", "standing"


class MongoModels:
    def __init__(self, database: Database) -> None:
        self._models = database["models"]
        self._notes = database["notes"]
        self._lease = MongoLease(database, LEASE)

    async def latest(self) -> Model | None:
        return _model(await self._models.find_one(sort=[("_id", DESCENDING)]))

    async def version(self, version: int) -> Model | None:
        return _model(await self._models.find_one({"_id": version}))

    async def as_of(self, moment: datetime) -> Model | None:
        return _model(await self._models.find_one({"as_of": {"$lte": moment}}, sort=[("_id", DESCENDING)]))

    async def page(self, before: int | None, limit: int) -> list[Model]:
        """The newest first."""
        query = {"_id": {"$lt": before}} if before is not None else {}
        found = self._models.find(query).sort("_id", DESCENDING).limit(limit)
        return [model async for document in found if (model := _model(document))]

    async def add(self, model: Model) -> bool:
        """False if the version exists already: another instance was first."""
        try:
            await self._models.insert_one({"_id": model.version, "fitted_at": model.fitted_at, **asdict(model.fit)})
        except DuplicateKeyError:
            return False
        return True

    async def standing(self) -> Standing | None:
        found = await self._notes.find_one({"_id": STANDING}, {"_id": 0})
        return Standing.unpack(found) if found else None

    async def note_standing(self, standing: Standing) -> None:
        await self._notes.replace_one({"_id": STANDING}, standing.pack(), upsert=True)

    async def note(self, report: Report) -> None:
        await self._notes.replace_one({"_id": REFIT}, report._asdict(), upsert=True)

    async def last_refit(self) -> Report | None:
        found = await self._notes.find_one({"_id": REFIT}, {"_id": 0})
        return Report(**{**found, "doubts": tuple(found["doubts"])}) if found else None

    async def swept(self) -> tuple[int, int] | None:
        """The version and the day of the last complete sweep."""
        found = await self._notes.find_one({"_id": SWEEP})
        return (found["version"], found["day"]) if found else None

    async def note_sweep(self, version: int, day: int) -> None:
        await self._notes.replace_one({"_id": SWEEP}, {"version": version, "day": day}, upsert=True)

    async def claim(self, holder: str, seconds: float) -> bool:
        """Become, or stay, the one who refits; by the database's clock."""
        return await self._lease.claim(holder, seconds)

    async def release(self, holder: str) -> None:
        await self._lease.release(holder)


def _model(document: Document | None) -> Model | None:
    if document is None:
        return None
    version, fitted_at = int(document.pop("_id")), document.pop("fitted_at")
    return Model(version, fitted_at, _fit(document))


def _fit(fields: dict[str, Any]) -> Fit:
    parameters = fields.pop("parameters")
    visits, spends = _purchasing(parameters["visits"]), GammaGamma(**parameters["spends"])
    as_of: datetime = fields.pop("as_of")
    # Versions of before families were chosen have no doubts, no reason, no season and no tempo.
    doubts = tuple(fields.pop("doubts", ()))
    season = Season(tuple(parameters.get("season", {}).get("levels", ())))
    tempo = Tempo(**parameters.get("tempo", {}))
    told = Parameters(visits, spends, parameters["top_money"], by_channel(parameters.get("by_channel")), season, tempo)
    return Fit(parameters=told, as_of=as_of, doubts=doubts, **fields)


def _purchasing(fields: dict[str, Any]) -> Purchasing:
    """MBG/NBD is kept as it always was; only what it cannot say has a `k`."""
    return MbgCnbd(**fields) if "k" in fields else MbgNbd(**fields)
