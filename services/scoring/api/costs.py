"""The company's cost model over HTTP: what a unit of each kind costs."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from services.scoring.api.profits import MONTH, Reader
from services.scoring.domain.profit import CostModel, Kind, Overhead, Rate, month_named, name_of
from services.scoring.handlers import Profits
from shared.http import Problem
from shared.security import Principal, require

Writer = Annotated[Principal, Depends(require("scoring:write"))]
Month = Annotated[str, Field(pattern=MONTH, examples=["2026-01"])]


class RateBody(BaseModel):
    """Money per unit of a kind, of one subject or of all that have no rate of their own, from a month until before another."""

    kind: Kind
    per_unit: Annotated[Decimal, Field(max_digits=18, decimal_places=12)]
    subject: Annotated[str, Field(max_length=200)] = ""
    since: Month | None = None
    until: Month | None = None


class OverheadBody(BaseModel):
    """What drives overhead: each event of a kind, or each unit of it. Its rate is that of the kind `overhead`."""

    driver: Kind
    by: Literal["events", "units"] = "events"


class CostsBody(BaseModel):
    """What a unit of each kind costs. A kind without a rate is an unknown cost, not a free one: say 0 for that."""

    rates: Annotated[list[RateBody], Field(max_length=10_000)] = []
    overhead: OverheadBody | None = None


def cost_routes(profits: Profits) -> APIRouter:
    routes = APIRouter(tags=["profit"])

    @routes.get("/v1/costs", summary="The cost model")
    async def read_costs(_: Reader) -> CostsBody:
        return _costs(await profits.costs.model())

    @routes.put("/v1/costs", summary="Set the cost model; statements use it at once, for all months it covers")
    async def set_costs(_: Writer, body: CostsBody) -> CostsBody:
        try:
            model = _model(body)
        except ValueError as error:
            raise Problem(422, "Invalid cost model", errors=[("body.rates", str(error))]) from error
        await profits.costs.set(model)
        return _costs(model)

    return routes


def _model(body: CostsBody) -> CostModel:
    """Raises ValueError where two rates are valid at once, or a rate is for what is no cost."""
    rates = tuple(
        Rate(
            rate.kind,
            rate.per_unit,
            rate.subject,
            month_named(rate.since) if rate.since else None,
            month_named(rate.until) if rate.until else None,
        )
        for rate in body.rates
    )
    return CostModel(rates, Overhead(body.overhead.driver, body.overhead.by) if body.overhead else None)


def _costs(model: CostModel) -> CostsBody:
    rates = [
        RateBody(
            kind=rate.kind,
            per_unit=rate.per_unit,
            subject=rate.subject,
            since=None if rate.since is None else name_of(rate.since),
            until=None if rate.until is None else name_of(rate.until),
        )
        for rate in model.rates
    ]
    driven = model.overhead
    return CostsBody(rates=rates, overhead=OverheadBody(driver=driven.driver, by=driven.by) if driven else None)
