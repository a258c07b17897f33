"""The models over HTTP: which parameters are and were in use, and a refit now."""

import math
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.versions import Version, before, following
from services.scoring.domain.channels import code_of
from services.scoring.domain.model import Model, Parameters
from services.scoring.domain.purchasing import general
from services.scoring.domain.tempo import Tempo
from services.scoring.handlers import Refitting, Report
from services.scoring.handlers.models import Outcome
from shared.http import Cursor, Limit, Page, Problem
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Writer = Annotated[Principal, Depends(require("scoring:write"))]


class MbgNbdView(BaseModel):
    """MBG/NBD and what it was extended to: how often customers buy and when they leave. `alpha` in days.

    `log_likelihood`: of k above 1 without what the lengths of the gaps between purchases add, whatever the parameters.
    """

    r: float
    alpha: float
    a: float
    """0: nobody leaves."""
    b: float
    log_likelihood: float
    k: int = 1
    """Steps between two purchases: above 1 they have a rhythm."""
    loyal: float = 0.0
    """The share of customers who never leave."""


class ChannelView(BaseModel):
    """The parameters of customers whose earliest order came by this channel, in place of the base's."""

    channel: str
    customers: int
    """When it was last told apart; so are the parameters' distances from the base's, in logarithms."""
    r: float
    alpha: float
    a: float
    b: float
    loyal: float = 0.0


class GammaGammaView(BaseModel):
    """Gamma-Gamma: what customers spend on a purchase day. `gamma` in the books' currency."""

    p: float
    q: float
    gamma: float
    log_likelihood: float


class PaceView(BaseModel):
    """By how much a customer's time passes faster, in logarithms, for a unit of each trait: `trend`, the logarithm of the last
    gap between purchases to the mean one; `money`, that of the first purchase's money to the base's, over the number of
    purchases.
    """

    trend: float
    money: float
    usual_days: float
    """The base's mean gap, to which gaps are drawn."""
    usual_money: float
    """The base's first purchase, the median."""


class ModelView(BaseModel):
    """One version of the parameters; the newest is in use."""

    name: str
    version: int
    fitted_at: datetime
    as_of: datetime
    """The moment in customers' time that the base was looked at."""
    customers: int
    cells: int
    """Cells of the histogram that it was fitted from."""
    top_money: float
    """The money that the top fifth of customers has paid at least."""
    doubts: list[str] = []
    """What is to be known of it, though it is used."""
    why: str = ""
    """Why this family of models came into use with this version; empty where it was in use before."""
    mbg_nbd: MbgNbdView
    channels: list[ChannelView] = []
    """Those that are told apart from the base."""
    gamma_gamma: GammaGammaView
    season: list[float] = []
    """What each four weeks of the year are to an average of them, from 1 January on (the last ends with the year); none: no
    season is expected."""
    pace: PaceView | None = None
    """Customers' own; none: time passes alike for everybody."""


class RefitView(BaseModel):
    """What a refit has come to. `held`: the fit is in doubt, and the version before stays in use."""

    outcome: Outcome
    doubts: list[str]
    version: int | None
    customers: int
    cells: int
    told: int
    """Customers whose scores have moved and were told."""
    at: datetime
    seconds: float


class Versions(Protocol):
    """The versions, and the last refit."""

    async def version(self, version: int) -> Model | None: ...

    async def page(self, before: int | None, limit: int) -> list[Model]: ...

    async def last_refit(self) -> Report | None: ...


def model_routes(refitting: Refitting, versions: Versions) -> APIRouter:
    routes = APIRouter(prefix="/v1/models", tags=["models"])

    @routes.get("", summary="List versions, the newest first")
    async def list_models(_: Reader, cursor: Cursor = None, limit: Limit = 100) -> Page[ModelView]:
        models = await versions.page(before(cursor), limit)
        return Page(items=[_view(model) for model in models], next=following(models, limit))

    @routes.get("/refit", summary="What the last refit has come to")
    async def read_refit(_: Reader) -> RefitView:
        report = await versions.last_refit()
        if report is None:
            raise Problem(404, detail="There has been no refit yet.")
        return _report(report)

    @routes.post("/refit", summary="Fit the parameters again now, and tell the scores that move by it")
    async def refit_models(_: Writer) -> RefitView:
        return _report(await refitting.refit())

    @routes.get("/{version}", summary="Read a version")
    async def read_model(_: Reader, version: Version) -> ModelView:
        model = await versions.version(version)
        if model is None:
            raise Problem(404, detail="There is no such version.")
        return _view(model)

    return routes


def pace_view(tempo: Tempo) -> PaceView | None:
    if not tempo:
        return None
    usual_money = math.exp(tempo.usual_money)
    return PaceView(trend=tempo.trend, money=tempo.money, usual_days=tempo.usual_days, usual_money=usual_money)


def _view(model: Model) -> ModelView:
    fit, visits, spends = model.fit, model.parameters.visits, model.parameters.spends
    return ModelView(
        name=model.parameters.name,
        version=model.version,
        fitted_at=model.fitted_at,
        as_of=fit.as_of,
        customers=fit.customers,
        cells=fit.cells,
        top_money=model.parameters.top_money,
        doubts=list(fit.doubts),
        why=fit.why,
        mbg_nbd=MbgNbdView(**asdict(visits), log_likelihood=fit.log_likelihood_visits),
        channels=_channels(model.parameters),
        gamma_gamma=GammaGammaView(
            p=spends.p, q=spends.q, gamma=spends.gamma, log_likelihood=fit.log_likelihood_spends
        ),
        season=list(model.parameters.season.levels),
        pace=pace_view(model.parameters.tempo),
    )


def _channels(parameters: Parameters) -> list[ChannelView]:
    told = parameters.by_channel.channels if parameters.by_code and parameters.by_channel else ()
    models = [general(parameters.visits_of(code_of(one.name))) for one in told]
    return [
        ChannelView(channel=one.name, customers=one.customers, r=m.r, alpha=m.alpha, a=m.a, b=m.b, loyal=m.loyal)
        for one, m in zip(told, models, strict=True)
    ]


def _report(report: Report) -> RefitView:
    return RefitView(**{**report._asdict(), "doubts": list(report.doubts)})
