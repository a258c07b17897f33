"""Scores: changed by purchases and by time passing, told when they have moved, and read at any moment."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

import numpy as np

from services.scoring.domain import rfm
from services.scoring.domain.model import Model
from services.scoring.domain.population import Changes, Standing, changes
from services.scoring.domain.purchases import BeyondTheBooks, Order, Purchases, day_of
from services.scoring.domain.reasons import Among, ByModel, Reason as Why, Situation, reasons
from services.scoring.domain.score import Terms, material, predict
from services.scoring.handlers.customers import Customers, Known, Sheet, scored_of
from shared.clock import Clock
from shared.contracts.fact import Reason
from shared.contracts.interactions import OrderPlaced
from shared.contracts.scoring import Score
from shared.messaging import Received, Unit
from shared.mongo import Session

T = TypeVar("T")
SWEEP_CUSTOMERS = 5_000
"""Customers scored at once when time has passed: some ten milliseconds, so that consuming goes on between."""
TELL_CUSTOMERS = 500
"""Scores told in one transaction then: small, because a purchase of one of the customers makes it start again."""


class Moves(Protocol):
    """Where changes of the base are put down for the next refit."""

    async def add(self, some: Changes, session: Session) -> None: ...


class Transactions(Protocol):
    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T: ...


@dataclass
class Scores:
    """The use cases around one customer's score.

    `model` is the version in use, None before the first fit; `standing` the base as of the last refit.
    """

    customers: Customers
    moves: Moves
    clock: Clock
    horizon_days: int
    currency: str
    model: Model | None = None
    standing: Standing | None = None

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """Add a batch of orders to their customers, and tell the new scores."""
        await self.clock.witness(unit, events)
        theirs: dict[str, list[Received]] = {}
        for event in events:
            theirs.setdefault(event.fact.customer_id, []).append(event)
        known = await self.customers.load(theirs.keys(), unit.session)
        before = {customer: known[customer].purchases if customer in known else Purchases() for customer in theirs}
        after = {customer: self._with_orders(unit, before[customer], theirs[customer]) for customer in theirs}
        changed = [customer for customer in theirs if after[customer] is not before[customer]]
        if not changed:
            return
        terms = self._terms(not_before(known, await self.clock.now(unit.session)))
        scored = scored_of({customer: after[customer] for customer in changed}, known, terms)
        await self.moves.add(changes((before[customer], after[customer]) for customer in changed), unit.session)
        await self.customers.save(scored, unit.session)
        for one in scored:
            one.tell(unit, cause=theirs[one.customer_id][-1])

    def _with_orders(self, unit: Unit, before: Purchases, events: Sequence[Received]) -> Purchases:
        """The customer after the orders; those that cannot be taken become dead letters."""
        ours = [event for event in events if self._in_our_currency(unit, event)]
        try:
            return before.plus(Purchases.of(map(_order, ours)))
        except BeyondTheBooks:
            return self._one_by_one(unit, before, ours)

    def _one_by_one(self, unit: Unit, before: Purchases, events: Sequence[Received]) -> Purchases:
        after = before
        for event in events:
            try:
                after = after.plus(Purchases.of([_order(event)]))
            except BeyondTheBooks as error:
                unit.reject(event, Reason.INVALID_DATA, str(error))
        return after

    def _in_our_currency(self, unit: Unit, event: Received) -> bool:
        fact: OrderPlaced = event.fact
        if fact.currency == self.currency:
            return True
        unit.reject(event, Reason.WRONG_CURRENCY, f"the books are kept in {self.currency}")
        return False

    async def read(self, customer_id: str, as_of: datetime | None = None) -> Score | None:
        """The score at the moment asked for, from the purchases until then; None if there were none."""
        known = (await self.customers.load([customer_id])).get(customer_id)
        if known is None:
            return None
        now = as_of or await self.clock.now()
        purchases = known.purchases.until(day_of(as_of)) if as_of else known.purchases
        if not purchases.days:
            return None
        # Of the base at a past moment nothing is kept, so that nobody stood anywhere in it.
        terms = self._terms(now) if as_of is None else replace(self._terms(now), standing=None)
        scored = scored_of({customer_id: purchases}, {customer_id: known} if as_of is None else {}, terms)
        return scored[0].score

    async def why(self, customer_id: str) -> tuple[Score, Sequence[Why]] | None:
        """The score as of now and the few facts that make it what it is; None if there were no purchases.

        Without a model there is a score and no reason: nothing is predicted.
        """
        known = (await self.customers.load([customer_id])).get(customer_id)
        if known is None or not known.purchases.days:
            return None
        terms = self._terms(await self.clock.now())
        score = scored_of({customer_id: known.purchases}, {customer_id: known}, terms)[0].score
        if terms.model is None:
            return score, ()
        by_model = ByModel(*terms.model.predictors, terms.horizon_days)
        among = Among(terms.currency, by_model.typical_spend, self._spends_less(known.purchases))
        situation = Situation(known.purchases, max(day_of(terms.now), known.purchases.days[-1].day))
        return score, reasons(None, situation, by_model, among)

    def _spends_less(self, purchases: Purchases) -> float | None:
        """The share of customers who have brought less."""
        if self.standing is None:
            return None
        return float(self.standing.quintiles.ranks(rfm.cells([purchases])).money[0])

    async def rescore(self, transactions: Transactions) -> int:
        """Score everybody anew, for time has passed or the model has changed; tell what has moved. How many were told."""
        told, after = 0, None
        while self.model and (sheet := await self.customers.sheet(after, SWEEP_CUSTOMERS)).customers:
            news = await self._news(sheet, self.model)
            for begin in range(0, len(news), TELL_CUSTOMERS):
                told += await self._tell_again(transactions, news[begin : begin + TELL_CUSTOMERS])
            after = sheet.customers[-1]
        return told

    async def _news(self, sheet: Sheet, model: Model) -> list[str]:
        predictions = predict(model.parameters, sheet.histories, await self.clock.now(), self.horizon_days)
        moved = material(sheet.told, predictions, model.parameters.top_money)
        moved |= sheet.told.ranked.changed(sheet.histories.ranked(self.standing, sheet.told.ranked))
        return [sheet.customers[i] for i in np.flatnonzero(moved).tolist()]

    async def _tell_again(self, transactions: Transactions, customers: Sequence[str]) -> int:
        now = await self.clock.now()

        async def tell(unit: Unit) -> int:
            # Read again: a purchase may have come since, and the snapshot makes one of the two transactions wait.
            known = await self.customers.load(customers, unit.session)
            terms = self._terms(not_before(known, now))
            scored = scored_of({customer: one.purchases for customer, one in known.items()}, known, terms)
            await self.customers.save(scored, unit.session)
            for one in scored:
                one.tell(unit, time=now)
            return len(scored)

        return await transactions.transact(tell)

    def _terms(self, now: datetime) -> Terms:
        return Terms(self.model, now, self.horizon_days, self.currency, self.standing)


def not_before(known: Mapping[str, Known], now: datetime) -> datetime:
    """Now, but never before a score that has been told: clocks jump back, and differ between instances, and whoever
    listens takes a score of an earlier moment for an older one.
    """
    return max([now, *(one.as_of for one in known.values())])


def _order(event: Received) -> Order:
    fact: OrderPlaced = event.fact
    return Order(fact.ordered_at, fact.total)
