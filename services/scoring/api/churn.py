"""Churn over HTTP: how probably a customer leaves, by the model in use, and which models there were."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.reliability import Reliability
from services.scoring.api.survivors import Survivors
from services.scoring.api.versions import Version, before, following
from services.scoring.api.windows import Evidence, evidence
from services.scoring.domain.fitting import Doubt
from services.scoring.handlers import Churning, ChurnVersion, Foretold
from services.scoring.handlers.churning import By
from shared.contracts.fact import CustomerId
from shared.http import Cursor, Limit, Page, Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class ReasonShown(BaseModel):
    """`contribution` to the log-odds, before calibration; above 0: towards leaving."""

    about: str
    text: str
    contribution: float


class ChurnShown(BaseModel):
    """The probability of no purchase within the horizon. `by` says which model speaks, and `why` why."""

    customer_id: CustomerId
    as_of: datetime
    horizon_days: int
    probability: float | None
    by: By
    version: int | None
    """Of the newest model of behaviour, also where it is not the one that speaks."""
    base_probability: float | None
    base_version: int | None
    why: str
    reasons: list[ReasonShown]


class WindowShown(Evidence):
    """Who leaves, by behaviour and by purchases."""

    purchases: Reliability


class ChurnModelShown(BaseModel):
    """What a night has come to."""

    version: int
    at: datetime
    horizon_days: int
    in_use: bool
    doubt: Doubt | None
    share: float
    rows: int
    left: int
    base_version: int
    judged_by: int
    foreknown: bool
    windows: list[WindowShown]


class ChurnModelRead(ChurnModelShown):
    """With what was fitted: LightGBM's trees as text, a logistic regression and the calibration, as JSON."""

    model: str | None


class Versions(Protocol):
    async def version(self, version: int) -> ChurnVersion | None: ...

    async def page(self, before: int | None, limit: int) -> list[ChurnVersion]: ...

    async def text(self, version: int) -> str | None: ...


def churn_routes(churning: Churning, versions: Versions, survivors: Survivors) -> APIRouter:
    routes = APIRouter(prefix="/v1/churn", tags=["churn"])

    @routes.get("/models", summary="List models of behaviour, the newest first")
    async def list_churn_models(_: Reader, cursor: Cursor = None, limit: Limit = 20) -> Page[ChurnModelShown]:
        items = await versions.page(before(cursor), limit)
        return Page(items=[ChurnModelShown(**_fields(item)) for item in items], next=following(items, limit))

    @routes.get("/models/{version}", summary="Read a model")
    async def read_churn_model(_: Reader, version: Version) -> ChurnModelRead:
        found = await versions.version(version)
        if found is None:
            raise Problem(404, detail="There is no such version.")
        return ChurnModelRead(**_fields(found), model=await versions.text(version))

    @routes.get("/{customer_id}", summary="How probably a customer leaves, and why")
    async def read_churn(_: Reader, customer_id: CustomerId) -> ChurnShown:
        found = await churning.foretell(await survivors.root(customer_id))
        if found is None:
            raise Problem(404, detail="The customer is not known to have bought anything.")
        return _shown(found)

    return routes


def _shown(found: Foretold) -> ChurnShown:
    return ChurnShown(
        customer_id=found.customer_id,
        as_of=found.as_of,
        horizon_days=found.horizon_days,
        probability=found.probability,
        by=found.by,
        version=found.version,
        base_probability=found.base,
        base_version=found.base_version,
        why=found.why,
        reasons=[ReasonShown(**reason._asdict()) for reason in found.reasons],
    )


def _fields(version: ChurnVersion) -> dict[str, object]:
    return version._asdict() | {"windows": [evidence(window, "purchases") for window in version.windows]}
