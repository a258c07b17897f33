"""The company's cost model in MongoDB, and the last look through all books."""

from dataclasses import asdict
from typing import Any

from bson import Decimal128

from services.scoring.domain.classes import ProfitBase
from services.scoring.domain.profit import CostModel, Kind, Overhead, Rate
from services.scoring.handlers import Look
from shared.mongo import Database, Document

COSTS, LOOK = "costs", "profits"


class MongoCosts:
    def __init__(self, database: Database) -> None:
        self._notes = database["notes"]

    async def model(self) -> CostModel:
        """Nothing is known as long as nobody has said anything."""
        found = await self._notes.find_one({"_id": COSTS})
        if found is None:
            return CostModel()
        overhead = Overhead(Kind(found["overhead"]["driver"]), found["overhead"]["by"]) if found["overhead"] else None
        return CostModel(tuple(_rate(rate) for rate in found["rates"]), overhead)

    async def set(self, model: CostModel) -> None:
        rates = [asdict(rate) | {"per_unit": Decimal128(rate.per_unit), "kind": str(rate.kind)} for rate in model.rates]
        driven = model.overhead
        overhead = {"driver": str(driven.driver), "by": driven.by} if driven else None
        await self._notes.replace_one({"_id": COSTS}, {"rates": rates, "overhead": overhead}, upsert=True)

    async def last_look(self) -> Look | None:
        found = await self._notes.find_one({"_id": LOOK}, {"_id": 0})
        if found is None:
            return None
        fields: dict[str, Any] = {**found, "unknown": tuple(map(Kind, found["unknown"]))}
        return Look(**{**fields, "base": ProfitBase.unpack(found["base"])})

    async def note_look(self, look: Look) -> None:
        said = {**look._asdict(), "unknown": [str(kind) for kind in look.unknown], "base": look.base.pack()}
        await self._notes.replace_one({"_id": LOOK}, said, upsert=True)


def _rate(document: Document) -> Rate:
    return Rate(**{**document, "kind": Kind(document["kind"]), "per_unit": document["per_unit"].to_decimal()})
