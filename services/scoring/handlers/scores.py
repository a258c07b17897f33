"""Scores: changed by purchases, by what becomes of them and by time passing, told when they have moved, and read at any moment."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from services.scoring.domain.histogram import Rows, moves
from services.scoring.domain.model import Model
from services.scoring.domain.purchases import BeyondTheBooks, Order, Purchases, day_of
from services.scoring.domain.score import Histories, Terms, Told, material, predict, scores_of
from services.scoring.domain.segments import Segment
from shared.clock import Clock
from shared.contracts.fact import Reason
from shared.contracts.interactions import OrderCancelled, OrderPlaced, OrderReturned
from shared.contracts.scoring import SCORES, Score, ScoreChanged
from shared.messaging import Received, Unit
from shared.mongo import Session

T = TypeVar("T")
SaleFact = OrderPlaced | OrderReturned | OrderCancelled
SWEEP_CUSTOMERS = 5_000
"""Customers scored at once when time has passed: some ten milliseconds, so that consuming goes on between."""
TELL_CUSTOMERS = 500
"""Scores told in one transaction then: small, because a purchase of one of the customers makes it start again."""


class Scored(NamedTuple):
    customer_id: str
    purchases: Purchases
    score: Score
    json: bytes
    """The score as it is kept and told: made once, because it is dear to make."""

    @classmethod
    def of(cls, score: Score, purchases: Purchases) -> "Scored":
        return cls(score.customer_id, purchases, score, score.__pydantic_serializer__.to_json(score))

    def tell(self, unit: Unit, cause: Received | None = None, time: datetime | None = None) -> None:
        data = b'{"score":%s}' % self.json
        unit.tell(SCORES, ScoreChanged.TYPE, data, key=self.customer_id, cause=cause, time=time)


class Known(NamedTuple):
    """A customer's purchases, and the moment that the score last told is of."""

    purchases: Purchases
    as_of: datetime


class Sheet(NamedTuple):
    """What a sweep needs of some customers with a purchase day, in the order of their ids."""

    customers: Sequence[str]
    histories: Histories
    told: Told


class Summary(NamedTuple):
    """All customers' figures by the segment that was told of them."""

    segment: Segment | None
    customers: int
    purchases: int
    money: Decimal
    value: Decimal


class Customers(Protocol):
    """What is known of each customer: purchases, and the score last told."""

    async def load(self, customers: Collection[str], session: Session | None = None) -> dict[str, Known]: ...

    async def save(self, scored: Sequence[Scored], session: Session) -> None: ...

    async def sheet(self, after: str | None, limit: int) -> Sheet: ...


class Moves(Protocol):
    """Where changes of the base are put down for the next refit."""

    async def add(self, rows: Rows, session: Session) -> None: ...


class Transactions(Protocol):
    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T: ...


@dataclass
class Scores:
    """The use cases around one customer's score. `model` is the version in use, None before the first fit."""

    customers: Customers
    moves: Moves
    clock: Clock
    horizon_days: int
    currency: str
    model: Model | None = None

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """Add a batch of orders, and what became of orders, to their customers, and tell the new scores."""
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
        scores = scores_of([(customer, after[customer]) for customer in changed], terms)
        scored = [Scored.of(score, after[score.customer_id]) for score in scores]
        await self.moves.add(moves((before[customer], after[customer]) for customer in changed), unit.session)
        await self.customers.save(scored, unit.session)
        for one in scored:
            one.tell(unit, cause=theirs[one.customer_id][-1])

    def _with_orders(self, unit: Unit, before: Purchases, events: Sequence[Received]) -> Purchases:
        """The customer after the facts; those that cannot be taken become dead letters."""
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
        fact: SaleFact = event.fact
        if fact.currency == self.currency:
            return True
        unit.reject(event, Reason.WRONG_CURRENCY, f"the books are kept in {self.currency}")
        return False

    async def read(self, customer_id: str, as_of: datetime | None = None) -> Score | None:
        """The score at the moment asked for, from the purchases until then; None if nothing had been ordered."""
        known = (await self.customers.load([customer_id])).get(customer_id)
        if known is None:
            return None
        now = as_of or await self.clock.now()
        purchases = known.purchases.until(day_of(as_of)) if as_of else known.purchases
        if not purchases.records:
            return None
        return scores_of([(customer_id, purchases)], self._terms(now))[0]

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
        return [sheet.customers[i] for i in np.flatnonzero(moved).tolist()]

    async def _tell_again(self, transactions: Transactions, customers: Sequence[str]) -> int:
        now = await self.clock.now()

        async def tell(unit: Unit) -> int:
            # Read again: a purchase may have come since, and the snapshot makes one of the two transactions wait.
            known = await self.customers.load(customers, unit.session)
            terms = self._terms(not_before(known, now))
            scores = scores_of([(customer, one.purchases) for customer, one in known.items()], terms)
            scored = [Scored.of(score, known[score.customer_id].purchases) for score in scores]
            await self.customers.save(scored, unit.session)
            for one in scored:
                one.tell(unit, time=now)
            return len(scored)

        return await transactions.transact(tell)

    def _terms(self, now: datetime) -> Terms:
        return Terms(self.model, now, self.horizon_days, self.currency)


def not_before(known: Mapping[str, Known], now: datetime) -> datetime:
    """Now, but never before a score that has been told: clocks jump back, and differ between instances, and whoever
    listens takes a score of an earlier moment for an older one.
    """
    return max([now, *(one.as_of for one in known.values())])


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
