"""Models of how contracts end over HTTP: what each night has come to, and the evidence for it."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.reliability import Reliability
from services.scoring.api.versions import Version, before, following
from services.scoring.api.windows import Evidence, evidence
from services.scoring.domain.fitting import Doubt
from services.scoring.handlers import EndingVersion
from shared.http import Cursor, Limit, Page, Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class EndingWindow(Evidence):
    """Whether a contract ends by choice, by fate, or not, by behaviour and by age. Reliability is of ending at all."""

    age: Reliability


class EndingModelShown(BaseModel):
    """`share` of all holders of contracts were looked at; of their `rows`, so many ended within the horizon."""

    version: int
    at: datetime
    horizon_days: int
    in_use: bool
    doubt: Doubt | None
    share: float
    rows: int
    voluntary: int
    involuntary: int
    windows: list[EndingWindow]


class EndingModelRead(EndingModelShown):
    """With what was fitted, as JSON."""

    model: str | None


class Versions(Protocol):
    async def version(self, version: int) -> EndingVersion | None: ...

    async def page(self, before: int | None, limit: int) -> list[EndingVersion]: ...

    async def text(self, version: int) -> str | None: ...


def ending_routes(versions: Versions) -> APIRouter:
    """Before those of contracts, whose customers these paths would be."""
    routes = APIRouter(prefix="/v1/contracts/models", tags=["contracts"])

    @routes.get("", summary="List models of how contracts end, the newest first")
    async def list_ending_models(_: Reader, cursor: Cursor = None, limit: Limit = 20) -> Page[EndingModelShown]:
        items = await versions.page(before(cursor), limit)
        return Page(items=[EndingModelShown(**_fields(item)) for item in items], next=following(items, limit))

    @routes.get("/{version}", summary="Read a model of how contracts end")
    async def read_ending_model(_: Reader, version: Version) -> EndingModelRead:
        found = await versions.version(version)
        if found is None:
            raise Problem(404, detail="There is no such version.")
        return EndingModelRead(**_fields(found), model=await versions.text(version))

    return routes


def _fields(version: EndingVersion) -> dict[str, object]:
    return version._asdict() | {"windows": [evidence(window, "age") for window in version.windows]}
