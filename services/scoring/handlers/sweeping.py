"""What time and new parameters do to scores: who is due is scored anew, and told if it is news. Nobody else is touched."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

import numpy as np

from services.scoring.domain.bands import Flags
from services.scoring.domain.due import due_days
from services.scoring.domain.histogram import Ints
from services.scoring.domain.model import Model
from services.scoring.domain.prediction import material, predict
from services.scoring.domain.purchases import day_of
from services.scoring.handlers.customers import Sheet, scored_of
from services.scoring.handlers.scores import Scores, not_before
from shared.messaging import Unit

T = TypeVar("T")
SWEEP_CUSTOMERS = 5_000
"""Customers scored at once: some ten milliseconds."""
TELL_CUSTOMERS = 500
"""Scores told in one transaction then: small, because a purchase of one of the customers makes it start again."""


class Transactions(Protocol):
    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T: ...


@dataclass
class Sweeping:
    scores: Scores
    transactions: Transactions

    async def everybody(self) -> int:
        """After new parameters: tell whose score is news by them, and find everybody's next day. How many were told."""
        told, after = 0, None
        while self.scores.model and (sheet := await self.scores.customers.sheet(after, SWEEP_CUSTOMERS)).customers:
            told += await self._look_at(sheet, self.scores.model)
            after = sheet.customers[-1]
        return told

    async def due(self) -> int:
        """As time passes: look at those whose day has come. How many were told."""
        told, today = 0, day_of(await self.scores.clock.now())
        while self.scores.model and (sheet := await self.scores.customers.due(today, SWEEP_CUSTOMERS)).customers:
            told += await self._look_at(sheet, self.scores.model)
        return told

    async def _look_at(self, sheet: Sheet, model: Model) -> int:
        """Tell the news; the others are due on another day, unless that is when they were due anyway."""
        now = await self.scores.clock.now()
        # In a thread: new parameters of buyers with a rhythm take a tenth of a second at first, and events go on being scored.
        news, days = await asyncio.to_thread(self._judge, sheet, model, now)
        later = ~news & (days != sheet.due)
        await self.scores.customers.postpone(
            [(sheet.customers[i], int(sheet.due[i]), int(days[i])) for i in np.flatnonzero(later).tolist()]
        )
        moved = [sheet.customers[i] for i in np.flatnonzero(news).tolist()]
        return sum(
            [await self._tell(moved[begin : begin + TELL_CUSTOMERS]) for begin in range(0, len(moved), TELL_CUSTOMERS)]
        )

    def _judge(self, sheet: Sheet, model: Model, now: datetime) -> tuple[Flags, Ints]:
        """Whose score is news, and on which day each is worth another look."""
        horizon_days = self.scores.horizon_days
        made = predict(model.parameters, sheet.histories, now, horizon_days)
        news = material(sheet.told, made, model.parameters.top_money)
        news |= sheet.told.ranked.changed(sheet.histories.ranked(self.scores.standing, sheet.told.ranked))
        return news, due_days(model.parameters, sheet.histories, sheet.told, made, day_of(now), horizon_days)

    async def _tell(self, customers: Sequence[str]) -> int:
        now = await self.scores.clock.now()

        async def tell(unit: Unit) -> int:
            # Read again: a purchase may have come since, and the snapshot makes one of the two transactions wait.
            found = await self.scores.customers.load(customers, unit.session)
            # Who was merged into another meanwhile is scored with them.
            known = {customer: one for customer, one in found.items() if one.purchases.records}
            terms = self.scores.terms(not_before(known, now))
            scored = scored_of({customer: one.purchases for customer, one in known.items()}, known, terms)
            await self.scores.customers.save(scored, unit.session)
            for one in scored:
                one.tell(unit, time=now)
            return len(scored)

        return await self.transactions.transact(tell)
