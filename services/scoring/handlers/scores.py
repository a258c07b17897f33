"""Scores: changed by purchases and by what becomes of them, told, and read at any moment. What time does is in `sweeping`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Protocol

from services.scoring.domain import rfm
from services.scoring.domain.channels import FirstOrder, code, earliest
from services.scoring.domain.model import Model
from services.scoring.domain.population import Changes, Standing, changes
from services.scoring.domain.purchases import EPOCH, BeyondTheBooks, Order, Purchases, day_of
from services.scoring.domain.reasons import Among, ByModel, Reason as Why, Situation, reasons
from services.scoring.domain.score import Terms
from services.scoring.handlers.customers import Customers, Known, answer, scored_of
from shared.clock import Clock
from shared.contracts.fact import Reason
from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.scoring import Score
from shared.messaging import Received, Unit
from shared.mongo import Session

SaleFact = OrderPlaced | OrderReturned | OrderCancelled
NOBODY = Known(Purchases(), EPOCH)


class Moves(Protocol):
    """Where changes of the base are put down for the next refit."""

    async def add(self, some: Changes, session: Session) -> None: ...


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

    async def fold(self, unit: Unit, events: Sequence[Received]) -> Sequence[Received]:
        """Add a batch of orders, and what became of orders, to their customers, and tell the new scores.

        Returns those of customers who are not alone: `Merging` has to take them.
        """
        await self.clock.witness(unit, events)
        theirs: dict[str, list[Received]] = {}
        for event in events:
            theirs.setdefault(event.fact.customer_id, []).append(event)
        known = await self.customers.load(theirs.keys(), unit.session)
        not_alone = {customer for customer, one in known.items() if one.bond}
        for customer in not_alone:
            del theirs[customer], known[customer]
        await self._fold(unit, theirs, known)
        return [event for event in events if event.fact.customer_id in not_alone] if not_alone else []

    async def _fold(self, unit: Unit, theirs: Mapping[str, Sequence[Received]], known: Mapping[str, Known]) -> None:
        before = {customer: known.get(customer, NOBODY) for customer in theirs}
        after = {customer: self.with_orders(unit, before[customer], theirs[customer]) for customer in theirs}
        changed = [customer for customer in theirs if after[customer].purchases is not before[customer].purchases]
        if not changed:
            return
        terms = self.terms(not_before(known, await self.clock.now(unit.session)))
        bought = {customer: after[customer].purchases for customer in changed}
        scored = scored_of(bought, known, terms, {customer: after[customer].first for customer in changed})
        moved = changes((before[customer].purchases, bought[customer]) for customer in changed)
        await self.moves.add(moved, unit.session)
        await self.customers.save(scored, unit.session)
        for one in scored:
            one.tell(unit, cause=theirs[one.customer_id][-1])

    def with_orders(self, unit: Unit, before: Known, events: Sequence[Received]) -> Known:
        """The customer after the facts; those that cannot be taken become dead letters."""
        ours = [event for event in events if self._in_our_currency(unit, event)]
        try:
            return _after(before, ours)
        except BeyondTheBooks:
            return self._one_by_one(unit, before, ours)

    def _one_by_one(self, unit: Unit, before: Known, events: Sequence[Received]) -> Known:
        after = before
        for event in events:
            try:
                after = _after(after, [event])
            except BeyondTheBooks as error:
                unit.reject(event, Reason.INVALID_DATA, str(error))
        return after

    def _in_our_currency(self, unit: Unit, event: Received) -> bool:
        fact: SaleFact = event.fact
        if fact.currency == self.currency:
            return True
        unit.reject(event, Reason.WRONG_CURRENCY, f"the books are kept in {self.currency}")
        return False

    async def read(self, customer_id: str, as_of: datetime | None = None) -> Score | None:
        """The score at the moment asked for, from the purchases until then; None if nothing had been ordered.

        Of somebody who was merged into another, the other's.
        """
        found = await answer(self.customers, customer_id)
        if found is None:
            return None
        customer_id, known = found
        now = as_of or await self.clock.now()
        purchases = known.purchases.until(day_of(as_of)) if as_of else known.purchases
        if not purchases.records:
            return None
        # Of the base at a past moment nothing is kept, so that nobody stood anywhere in it.
        terms = self.terms(now) if as_of is None else replace(self.terms(now), standing=None)
        first = {customer_id: known.first}
        scored = scored_of({customer_id: purchases}, {customer_id: known} if as_of is None else {}, terms, first)
        return scored[0].score

    async def why(self, customer_id: str) -> tuple[Score, Sequence[Why]] | None:
        """The score as of now and the few facts that make it what it is; None if there were no purchases.

        Without a model there is a score and no reason: nothing is predicted.
        """
        found = await answer(self.customers, customer_id)
        if found is None or not found.known.purchases.days:
            return None
        customer_id, known = found
        terms = self.terms(await self.clock.now())
        score = scored_of({customer_id: known.purchases}, {customer_id: known}, terms)[0].score
        if terms.model is None:
            return score, ()
        today = day_of(terms.now)
        by_model = ByModel(
            *terms.model.predictors_of(code(known.first)), terms.horizon_days, terms.model.parameters.tempo
        )
        season = terms.model.parameters.season.ahead(today, terms.horizon_days) / terms.horizon_days
        among = Among(terms.currency, by_model.typical_spend, self._spends_less(known.purchases))
        situation = Situation(known.purchases, max(today, known.purchases.days[-1].day), season=season)
        return score, reasons(None, situation, by_model, among)

    def _spends_less(self, purchases: Purchases) -> float | None:
        """The share of customers who have brought less."""
        if self.standing is None:
            return None
        return float(self.standing.quintiles.ranks(rfm.cells([purchases])).money[0])

    def terms(self, now: datetime) -> Terms:
        return Terms(self.model, now, self.horizon_days, self.currency, self.standing)


def not_before(known: Mapping[str, Known], now: datetime) -> datetime:
    """Now, but never before a score that has been told: clocks jump back, and differ between instances, and whoever
    listens takes a score of an earlier moment for an older one.
    """
    return max([now, *(one.as_of for one in known.values())])


def _after(before: Known, events: Sequence[Received]) -> Known:
    """With these facts. Raises BeyondTheBooks.

    Who was known before first orders were kept stays without one: what is heard now is not how they came.
    """
    first = before.first
    if first or not before.purchases.records:
        # Returns and cancellations name their order too, and may be heard before it.
        facts: list[SaleFact] = [event.fact for event in events]
        first = reduce(earliest, (FirstOrder.of(one.ordered_at, one.order_id, one.channel) for one in facts), first)
    return before._replace(purchases=before.purchases.plus(Purchases.of(map(_order, events))), first=first)


def _order(event: Received) -> Order:
    """What the fact adds to the day of its order."""
    fact: SaleFact = event.fact
    match fact:
        case OrderPlaced():
            return Order(fact.ordered_at, fact.total)
        case OrderReturned():
            return Order.returned(fact.ordered_at, fact.total)
        case OrderCancelled():
            return Order.cancelled(fact.ordered_at, fact.total)
