"""Reading scores over HTTP: one customer at any moment, lists by segment, the base in figures."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.scoring.api.survivors import Survivors
from services.scoring.domain.purchases import money_of
from services.scoring.domain.reasons import Code
from services.scoring.domain.segments import Segment
from services.scoring.handlers import Scores, Summary, Valued, Valuing
from shared.contracts.fact import Currency, CustomerId, Moment
from shared.contracts.scoring import Score
from shared.http import Cursor, Limit, Page, Problem, bad_cursor, decode_cursor, encode_cursor
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]
Sort = Literal["value", "customer"]
AsOf = Annotated[
    Moment | None,
    Query(
        description="Purchases until the end of that day, today's parameters. Absent: now.",
        examples=["2026-06-30T00:00:00Z"],
    ),
]


class SegmentFigures(BaseModel):
    """Sums over the customers of a segment. Amounts are exact."""

    customers: int
    purchases: int
    money: Decimal
    value: Decimal


class ScoresSummary(SegmentFigures):
    """Sums over all customers with an order that is not cancelled, and by the segment last told; `none`: no model had been
    fitted yet.
    """

    currency: Currency
    horizon_days: int
    model_version: int | None
    segments: dict[str, SegmentFigures]


class ReasonShown(BaseModel):
    """A fact in words and figures, and by how much it raised (+) or lowered (-) the score.

    `code` and `figures` are for clients that speak another language.
    """

    code: Code
    text: str
    figures: dict[str, float | int | str]
    effect: dict[str, float]


class Explained(BaseModel):
    """A score as of now, and the few facts that make it what it is, the most telling first."""

    score: Score
    reasons: list[ReasonShown]


class LifetimeValueShown(BaseModel):
    """What a customer has brought and still will, less costs by the margin, future money discounted to now."""

    customer_id: CustomerId
    as_of: datetime
    currency: Currency
    past: Decimal
    future: Decimal
    value: Decimal
    """`past` and `future`."""
    low: Decimal
    high: Decimal
    """With a probability of `interval`, the value comes out between `low` and `high`."""
    interval: float
    residual_days: float
    """Expected days until the customer leaves, of the next ten years."""
    margin: float
    yearly_discount: float
    model_version: int


class Told(Protocol):
    """The scores as last told."""

    async def page(
        self, segment: str | None, sort: str, after: tuple[Decimal | None, str] | None, limit: int
    ) -> list[Score]: ...

    async def summary(self) -> list[Summary]: ...


def score_routes(scores: Scores, told: Told, valuing: Valuing, survivors: Survivors) -> APIRouter:
    """Of whoever is restricted no score is kept, so that only where there is none it is asked why."""
    routes = APIRouter(prefix="/v1/scores", tags=["scores"])

    @routes.get("", summary="List scores as last told, the most valuable customers first")
    async def list_scores(
        _: Reader, segment: Segment | None = None, sort: Sort = "value", cursor: Cursor = None, limit: Limit = 100
    ) -> Page[Score]:
        items = await told.page(segment, sort, _after(cursor) if cursor else None, limit)
        return Page(items=items, next=_next(items[-1]) if len(items) == limit else None)

    @routes.get("/summary", summary="The whole base in figures")
    async def summarise_scores(_: Reader) -> ScoresSummary:
        version = scores.model.version if scores.model else None
        return _summary(await told.summary(), scores.currency, scores.horizon_days, version)

    @routes.get("/{customer_id}", summary="A customer's score, computed for the moment asked for")
    async def read_score(_: Reader, customer_id: CustomerId, as_of: AsOf = None) -> Score:
        score = await scores.read(customer_id, as_of)
        if score is None:
            await survivors.root(customer_id)
            raise Problem(404, detail="The customer is not known to have bought anything by then.")
        return score

    @routes.get(
        "/{customer_id}/reasons", summary="Why a customer's score is what it is, in words that can be read aloud"
    )
    async def explain_score(_: Reader, customer_id: CustomerId) -> Explained:
        found = await scores.why(customer_id)
        if found is None:
            await survivors.root(customer_id)
            raise Problem(404, detail="The customer is not known to have bought anything.")
        score, reasons = found
        return Explained(score=score, reasons=[ReasonShown(**vars(reason)) for reason in reasons])

    @routes.get("/{customer_id}/lifetime-value", summary="A customer's lifetime value, with an interval")
    async def read_lifetime_value(_: Reader, customer_id: CustomerId) -> LifetimeValueShown:
        found = await valuing.value(customer_id)
        if found is None:
            await survivors.root(customer_id)
            raise Problem(404, detail="The customer has bought nothing, or there is no model yet to value them by.")
        return _lifetime_value(found, valuing, scores.currency)

    return routes


def _lifetime_value(found: Valued, valuing: Valuing, currency: str) -> LifetimeValueShown:
    terms = valuing.terms
    assert isinstance(terms.margin, float), "one for all"
    return LifetimeValueShown(
        **vars(found),
        currency=currency,
        interval=terms.interval,
        margin=terms.margin,
        yearly_discount=terms.yearly_discount,
    )


def _after(cursor: str) -> tuple[Decimal | None, str]:
    match decode_cursor(cursor):
        case {"value": str(value), "customer": str(customer)} if _is_amount(value):
            return Decimal(value), customer
        case {"value": None, "customer": str(customer)}:
            return None, customer
        case _:
            raise bad_cursor()


def _is_amount(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and len(text) < 30
    except ArithmeticError:
        return False


def _next(last: Score) -> str:
    return encode_cursor({"value": None if last.value is None else str(last.value), "customer": last.customer_id})


def _summary(rows: Sequence[Summary], currency: str, horizon_days: int, version: int | None) -> ScoresSummary:
    return ScoresSummary(
        **_figures(rows),
        currency=currency,
        horizon_days=horizon_days,
        model_version=version,
        segments={row.segment or "none": SegmentFigures(**_figures([row])) for row in rows},
    )


def _figures(rows: Sequence[Summary]) -> dict[str, Any]:
    nothing = money_of(0)
    return {
        "customers": sum(row.customers for row in rows),
        "purchases": sum(row.purchases for row in rows),
        "money": sum((row.money for row in rows), nothing),
        "value": sum((row.value for row in rows), nothing),
    }
