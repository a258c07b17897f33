"""Reviews over HTTP: how the scores of one horizon ago have come out."""

from datetime import date, datetime, timedelta
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from services.scoring.api.reliability import Reliability, reliability
from services.scoring.domain.purchases import EPOCH
from services.scoring.handlers import Review
from shared.http import Cursor, Limit, Page, bad_cursor, decode_cursor, encode_cursor
from shared.security import Principal, require

Reader = Annotated[Principal, Depends(require("scores:read"))]


class ExpectedGroup(BaseModel):
    """Customers of whom about as many purchase days were expected, and the means of what was expected and what came."""

    customers: int
    expected: float
    actual: float


class LiftPoint(BaseModel):
    """What so many of the customers, the highest value first, have brought of all money."""

    customers: float
    money: float


class ReviewShown(BaseModel):
    """Scores as of the end of `cut`, against what came in the `horizon_days` after it."""

    cut: date
    until: date
    horizon_days: int
    at: datetime
    model_version: int
    foreknown: bool
    """The parameters have seen what they are held against, because no older version exists."""
    customers: int
    expected: float
    """Purchase days of all customers."""
    actual: float
    total_error: float | None
    reliability: Reliability
    groups: list[ExpectedGroup]
    lift: list[LiftPoint]


class Reviews(Protocol):
    async def newest(self, limit: int = 1, before: int | None = None) -> list[Review]: ...


def review_routes(reviews: Reviews) -> APIRouter:
    routes = APIRouter(prefix="/v1/reviews", tags=["reviews"])

    @routes.get("", summary="List reviews of the scores, the newest first")
    async def list_reviews(_: Reader, cursor: Cursor = None, limit: Limit = 20) -> Page[ReviewShown]:
        items = await reviews.newest(limit, _before(cursor) if cursor else None)
        before = encode_cursor({"before": items[-1].cut}) if len(items) == limit else None
        return Page(items=[_shown(item) for item in items], next=before)

    return routes


def _before(cursor: str) -> int:
    match decode_cursor(cursor):
        case {"before": int(before)} if abs(before) < 2**31:
            return before
        case _:
            raise bad_cursor()


def _shown(review: Review) -> ReviewShown:
    hindsight, cut = review.hindsight, EPOCH.date() + timedelta(days=review.cut)
    _, expected, actual = hindsight.counts.sum(axis=0).tolist()
    return ReviewShown(
        cut=cut,
        until=cut + timedelta(days=review.horizon_days),
        horizon_days=review.horizon_days,
        at=review.at,
        model_version=review.model_version,
        foreknown=review.foreknown,
        customers=hindsight.customers,
        expected=expected,
        actual=actual,
        total_error=hindsight.total_error,
        reliability=reliability(hindsight.silent),
        groups=[ExpectedGroup(customers=n, expected=said, actual=came) for n, said, came in hindsight.groups()],
        lift=[LiftPoint(customers=customers, money=money) for customers, money in hindsight.lift()],
    )
