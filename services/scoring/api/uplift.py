"""Models of uplift over HTTP: what each night has come to, for each action."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.versions import Version, before, following
from services.scoring.domain.fitting import Doubt
from services.scoring.domain.uplift.effects import Interval
from services.scoring.handlers import ActionLearnt, UpliftVersion
from shared.http import Cursor, Limit, Page, Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class IntervalShown(BaseModel):
    """With 95 % confidence."""

    estimate: float
    low: float
    high: float


class ActionModelShown(BaseModel):
    """Of `lessons` customers whose arm was drawn, `treated` got the action. `qini` and its gain over the segments' are of the
    `tried` later ones, by what was learnt before them. `in_use`: both are above 0 beyond doubt.
    """

    action: str
    in_use: bool
    lessons: int
    treated: int
    tried: int
    doubt: Doubt | None
    recipe: str | None
    qini: IntervalShown | None
    over_segments: IntervalShown | None
    whole: IntervalShown | None
    """Of the action on all of them."""


class UpliftModelShown(BaseModel):
    """What a night has come to."""

    version: int
    at: datetime
    horizon_days: int
    lessons: int
    actions: list[ActionModelShown]


class UpliftModelRead(UpliftModelShown):
    """With what was fitted, by action, as JSON."""

    models: dict[str, str]


class Versions(Protocol):
    async def version(self, version: int) -> UpliftVersion | None: ...

    async def page(self, before: int | None, limit: int) -> list[UpliftVersion]: ...

    async def texts(self, version: int) -> dict[str, str]: ...


def uplift_routes(versions: Versions) -> APIRouter:
    """Before those of retention, whose customers these paths would be."""
    routes = APIRouter(prefix="/v1/retention/models", tags=["retention"])

    @routes.get("", summary="List models of uplift, the newest first")
    async def list_uplift_models(_: Reader, cursor: Cursor = None, limit: Limit = 20) -> Page[UpliftModelShown]:
        items = await versions.page(before(cursor), limit)
        return Page(items=[UpliftModelShown(**_fields(item)) for item in items], next=following(items, limit))

    @routes.get("/{version}", summary="Read a model of uplift")
    async def read_uplift_model(_: Reader, version: Version) -> UpliftModelRead:
        found = await versions.version(version)
        if found is None:
            raise Problem(404, detail="There is no such version.")
        return UpliftModelRead(**_fields(found), models=await versions.texts(version))

    return routes


def _fields(version: UpliftVersion) -> dict[str, object]:
    return version._asdict() | {"actions": [_action(action) for action in version.actions]}


def _action(learnt: ActionLearnt) -> ActionModelShown:
    intervals = {name: _interval(getattr(learnt, name)) for name in ("qini", "over_segments", "whole")}
    return ActionModelShown(**learnt._asdict() | intervals)


def _interval(interval: Interval | None) -> IntervalShown | None:
    return IntervalShown(**vars(interval)) if interval else None
