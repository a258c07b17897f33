"""Customers' own pace over HTTP: whether scores read it, and the evidence for and against it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.models import PaceView, pace_view
from services.scoring.handlers import PaceLook, Pacing
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class PaceShown(BaseModel):
    """`gain`: nats a customer by which who bought in the last quarter of the base's time was foretold better than with time
    that passes alike for everybody; `error`: its standard error, paired by customer. None where it could not be tried.
    """

    at: datetime
    pace: PaceView | None
    """None: not used, for the reason given."""
    why: str
    customers: int
    """In the sample that it was learnt from."""
    gain: float | None
    error: float | None
    held: list[str]
    """Doubts for which no version could be made with what was found: that before stays in use."""
    model_version: int


def pace_routes(pacing: Pacing) -> APIRouter:
    """To be mounted before those of the versions, whose numbers would take this name."""
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("/pace", summary="Whether scores read customers' own pace, as of the last look")
    async def read_pace(_: Reader) -> PaceShown:
        look = await pacing.looks.pace_look()
        if look is None:
            raise Problem(404, detail="Nobody has looked yet.")
        return _shown(look)

    return routes


def _shown(look: PaceLook) -> PaceShown:
    found = look.found
    return PaceShown(
        at=look.at,
        pace=pace_view(found.tempo),
        why=found.why,
        customers=found.customers,
        gain=found.gain,
        error=found.error,
        held=list(look.held),
        model_version=look.version,
    )
