"""Customers' own pace: once a day a sample of the base is asked whether it tells who buys, and it is used where it does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.churn.calendar import draw
from services.scoring.domain.hindsight import then
from services.scoring.domain.model import Parameters
from services.scoring.domain.pacing import Found, tempo_of
from services.scoring.domain.purchases import day_of
from services.scoring.domain.tempo import Tempo
from services.scoring.handlers.customers import Packed
from services.scoring.handlers.models import Refitting
from services.scoring.handlers.reviewing import PAGE_CUSTOMERS, Reviewed
from shared.clock import Clock

log = structlog.get_logger()
MOST = 50_000
"""Customers that it is learnt from, drawn by their ids: two coefficients need no more, as in the evaluation."""


class PaceLook(NamedTuple):
    """What a look has come to. `version`: the one in use afterwards."""

    at: datetime
    found: Found
    version: int
    held: tuple[str, ...] = ()
    """Doubts for which no version could be made with what was found: that before stays in use."""


class PaceLooks(Protocol):
    async def pace_look(self) -> PaceLook | None: ...

    async def note_pace_look(self, look: PaceLook) -> None: ...


class Drawn(NamedTuple):
    """A customer of the sample: place in it, purchases (`Purchases.pack`), code of the channel."""

    place: float
    days: bytes
    came: int


@dataclass
class Pacing:
    customers: Reviewed
    looks: PaceLooks
    refitting: Refitting
    clock: Clock

    async def look(self) -> PaceLook | None:
        """Learn and try it, and use what was found; None before there is a model."""
        model, now = self.refitting.scores.model, await self.clock.now()
        if model is None:
            return None
        # Today is not over.
        found = await asyncio.to_thread(_found, await self._sample(), model.parameters, day_of(now) - 1)
        held = await self._use(found.tempo)
        used = self.refitting.scores.model or model
        look = PaceLook(now, found, used.version, held)
        await self.looks.note_pace_look(look)
        log.info("pace_looked_for", used=bool(found.tempo), customers=found.customers)
        return look

    async def _sample(self) -> list[Drawn]:
        """Page by page, each in a thread; the same customers with every look."""
        drawn: list[Drawn] = []
        after = None
        while (page := await self.customers.packed(after, PAGE_CUSTOMERS)).customers:
            drawn = await asyncio.to_thread(_with, drawn, page)
            after = page.customers[-1]
        return drawn

    async def _use(self, tempo: Tempo) -> tuple[str, ...]:
        """A version with it, unless that in use says the same. Doubts for which there is none."""
        model = self.refitting.scores.model
        if model is None or tempo.close_to(model.parameters.tempo):
            return ()
        report = await self.refitting.refit_in_turn(tempo=tempo)
        return report.doubts if report.outcome == "held" else ()

    async def ready(self) -> bool:
        return self.refitting.scores.model is not None

    async def due(self) -> bool:
        """Once a day."""
        if not await self.ready():
            return False
        last = await self.looks.pace_look()
        return last is None or day_of(await self.clock.now()) > day_of(last.at)


def _with(drawn: list[Drawn], page: Packed) -> list[Drawn]:
    """The first `MOST` of both, in their order: a sort that finds two sorted parts merges them."""
    rows = zip(page.customers, page.days, page.came.tolist(), strict=True)
    latest = drawn[-1].place if len(drawn) == MOST else inf
    fresh = sorted(Drawn(place, days, came) for one, days, came in rows if (place := draw(one).place) <= latest)
    return sorted([*drawn, *fresh])[:MOST]


def _found(drawn: Sequence[Drawn], parameters: Parameters, today: int) -> Found:
    packed, came = [one.days for one in drawn], np.array([one.came for one in drawn], dtype=np.int64)
    first_day = then(packed, today, 0).histories.first_day.min(initial=today)
    return tempo_of(packed, came, parameters, int(first_day), today)
