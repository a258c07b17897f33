"""Reviews: how the scores of one horizon ago have come out, looked through every week and kept."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog

from services.scoring.domain.hindsight import Hindsight, then
from services.scoring.domain.model import Model
from services.scoring.domain.purchases import EPOCH, day_of
from services.scoring.handlers.customers import Packed
from shared.clock import Clock

log = structlog.get_logger()
REVIEW_DAYS = 7
PAGE_CUSTOMERS = 5_000


class Review(NamedTuple):
    """Scores as of the end of day `cut` (since 1970), against the `horizon_days` after it."""

    cut: int
    horizon_days: int
    at: datetime
    model_version: int
    foreknown: bool
    """The parameters are younger than the cut, because no older version exists: they have seen what they are held against."""
    hindsight: Hindsight


class Reviewed(Protocol):
    async def packed(self, after: str | None, limit: int) -> Packed:
        """The next customers in the order of their ids."""
        ...


class Versions(Protocol):
    async def latest(self) -> Model | None: ...

    async def as_of(self, moment: datetime) -> Model | None:
        """The newest version that was fitted to the base of that moment or before."""
        ...


class Reviews(Protocol):
    async def add(self, review: Review) -> None:
        """Instead of one of the same cut and horizon."""
        ...

    async def newest(self, limit: int = 1, before: int | None = None) -> list[Review]:
        """By cut, of cuts before that day."""
        ...


@dataclass
class Reviewing:
    customers: Reviewed
    versions: Versions
    reviews: Reviews
    clock: Clock
    horizon_days: int

    async def review(self) -> Review | None:
        """Of yesterday's end one horizon ago; None before there is a model."""
        now = await self.clock.now()
        cut = day_of(now) - 1 - self.horizon_days
        moment = EPOCH + timedelta(days=cut + 1)
        then_current = await self.versions.as_of(moment)
        model = then_current or await self.versions.latest()
        if model is None:
            return None
        hindsight, after = Hindsight.empty(), None
        while (page := await self.customers.packed(after, PAGE_CUSTOMERS)).customers:
            hindsight = hindsight.plus(await asyncio.to_thread(self._look_at, page, model, cut))
            after = page.customers[-1]
        review = Review(cut, self.horizon_days, now, model.version, then_current is None, hindsight)
        await self.reviews.add(review)
        log.info("scores_reviewed", customers=hindsight.customers, model_version=model.version)
        return review

    def _look_at(self, page: Packed, model: Model, cut: int) -> Hindsight:
        seen = then(page.days, cut, self.horizon_days, page.came)
        return Hindsight.of(model.parameters, seen, cut, self.horizon_days)

    async def ready(self) -> bool:
        return await self.versions.latest() is not None

    async def due(self) -> bool:
        """Whether the last review is a week old."""
        newest = await self.reviews.newest()
        return not newest or day_of(await self.clock.now()) >= day_of(newest[0].at) + REVIEW_DAYS
