"""Looks through the base over HTTP: asked for where their findings are read, answered at once, and followed under `/v1/looks`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from services.scoring.handlers import Looking, Run
from services.scoring.handlers.runs import State
from shared.http import Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Writer = Annotated[Principal, Depends(require("scoring:write"))]


class Asked(NamedTuple):
    """Where it is read what a look has found, which is where one is asked for, too."""

    path: str
    tag: str
    summary: str


LOOKS = {
    "choice": Asked("/v1/models/choice", "models", "Look now which family of models the base would be given"),
    "challengers": Asked("/v1/models/challengers", "models", "Hold the models against each other now"),
    "channels": Asked("/v1/models/channels", "models", "Compare the channels now, and use what is found"),
    "pace": Asked("/v1/models/pace", "models", "Learn customers' own pace now, and use it where it foretells better"),
    "profits": Asked("/v1/profits/base", "profit", "Look through all books now"),
    "reviews": Asked("/v1/reviews", "reviews", "Look back now"),
    "churn": Asked("/v1/churn/models", "churn", "Learn anew from the whole base now"),
    "uplift": Asked("/v1/retention/models", "retention", "Learn anew from all outcomes now"),
    "endings": Asked("/v1/contracts/models", "contracts", "Learn anew from all contracts now"),
    "wishes": Asked("/v1/wishes/study", "wishes", "Look through the whole base now, by the instance that answers"),
    "contracts": Asked(
        "/v1/contracts/base", "contracts", "Look through all contracts now, by the instance that answers"
    ),
}


class LookShown(BaseModel):
    """`nothing`: there was nothing to look at yet. `stopped`: its instance stopped, or could not renew its lease. `abandoned`:
    its instance has died; another may begin.
    """

    name: str
    state: State
    began_at: datetime
    ended_at: datetime | None
    instance: str
    error: str | None
    """The kind of error that it failed with; the log of the instance says where."""
    findings: str
    """Where what it found is read, once it is done."""


class LooksShown(BaseModel):
    items: list[LookShown]


def look_routes(looking: Looking) -> APIRouter:
    """Before those of single customers and versions, which these paths would be."""
    routes = APIRouter()

    @routes.get(
        "/v1/looks", tags=["looks"], summary="Looks through the base: those under way, and the last of each kind"
    )
    async def list_looks(_: Reader) -> LooksShown:
        runs = [await looking.last(name) for name in LOOKS]
        return LooksShown(items=[_shown(run) for run in runs if run])

    @routes.get("/v1/looks/{name}", tags=["looks"], summary="Whether a look is under way, or what became of the last")
    async def read_look(_: Reader, name: str) -> LookShown:
        if name not in LOOKS:
            raise Problem(404, detail=f"There is no such look; there are {', '.join(LOOKS)}.")
        run = await looking.last(name)
        if run is None:
            raise Problem(404, detail="Nobody has looked yet.")
        return _shown(run)

    for name, asked in LOOKS.items():
        add = routes.post(asked.path, status_code=202, tags=[asked.tag], summary=asked.summary, name=f"look_{name}")
        add(_beginning(looking, name))
    return routes


def _beginning(looking: Looking, name: str) -> Callable[[Writer, Response], Awaitable[LookShown]]:
    """Answers once the look has begun, and so has its lease; 409 while one is under way."""

    async def begin(_: Writer, response: Response) -> LookShown:
        run = await looking.begin(name)
        response.headers["location"] = f"/v1/looks/{name}"
        return _shown(run)

    return begin


def _shown(run: Run) -> LookShown:
    return LookShown(
        name=run.look,
        state=run.state,
        began_at=run.began_at,
        ended_at=run.ended_at,
        instance=run.instance,
        error=run.error,
        findings=LOOKS[run.look].path,
    )
