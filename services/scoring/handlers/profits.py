"""What customers have earned us: one customer's statement, and the whole base looked through every so often."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from services.scoring.domain.classes import CLASSES, ParetoClass, ProfitBase
from services.scoring.domain.profit import Book, CostModel, Kind, Statement, month_of, statement
from shared.clock import Clock

log = structlog.get_logger()
MONTHS = 12
"""The period by which the base is looked at."""
LEDGER_CUSTOMERS = 500
STALE = timedelta(days=1)


class Ledger(NamedTuple):
    """Some customers in the order of their ids, and their books."""

    customers: Sequence[str]
    books: Sequence[Book]


class Books(Protocol):
    async def books(self, customer_id: str) -> Book | None:
        """All of a customer's; None of one of whom nothing has been heard."""
        ...

    async def ledger(self, after: str | None, limit: int) -> Ledger: ...


class Look(NamedTuple):
    """The base's profit in the months from `since` until before `until`, as of a moment."""

    at: datetime
    since: int
    until: int
    customers: int
    """With anything in their books in these months."""
    unknown: tuple[Kind, ...]
    """Costs that arose, and of which nobody has said how high they are: true profit is less."""
    base: ProfitBase


class Costs(Protocol):
    async def model(self) -> CostModel: ...

    async def set(self, model: CostModel) -> None: ...

    async def last_look(self) -> Look | None: ...

    async def note_look(self, look: Look) -> None: ...


class Earned(NamedTuple):
    """A customer's statement, and their class by the profit of the months of the last look; None before there was one."""

    statement: Statement
    value_class: ParetoClass | None


@dataclass
class Profits:
    books: Books
    costs: Costs
    clock: Clock
    currency: str

    async def read(self, customer_id: str, since: int | None, until: int | None) -> Earned | None:
        """Of the months asked for, or else of the last twelve; None of a customer of whom nothing is known."""
        book = await self.books.books(customer_id)
        if book is None:
            return None
        until = await self._next_month() if until is None else until
        since = until - MONTHS if since is None else since
        costs, look = await self.costs.model(), await self.costs.last_look()
        told = statement(book, costs, since, until)
        return Earned(told, None if look is None else _class(book, costs, look))

    async def look(self) -> Look:
        """Through all books, by the costs as they are now."""
        until, costs = await self._next_month(), await self.costs.model()
        since = until - MONTHS
        base, customers, unknown, after = ProfitBase(), 0, dict[Kind, None](), None
        while (ledger := await self.books.ledger(after, LEDGER_CUSTOMERS)).customers:
            told = await asyncio.to_thread(_statements, ledger.books, costs, since, until)
            profits = np.array([one.micros for one in told], np.int64)
            base = base.plus(np.ones_like(profits), profits)
            customers, after = customers + len(told), ledger.customers[-1]
            unknown.update(dict.fromkeys(kind for one in told for kind in one.unknown))
        look = Look(await self.clock.now(), since, until, customers, tuple(unknown), base)
        await self.costs.note_look(look)
        log.info("books_looked_through", customers=customers)
        return look

    async def stale(self) -> bool:
        """Whether the last look is a day old."""
        look = await self.costs.last_look()
        return look is None or await self.clock.now() >= look.at + STALE

    async def _next_month(self) -> int:
        return month_of(await self.clock.now()) + 1


def _statements(books: Sequence[Book], costs: CostModel, since: int, until: int) -> list[Statement]:
    return [told for book in books if (told := statement(book, costs, since, until)).lines]


def _class(book: Book, costs: CostModel, look: Look) -> ParetoClass | None:
    told = statement(book, costs, look.since, look.until)
    if not told.lines:
        return None
    return CLASSES[int(look.base.cuts().classes(np.array([told.micros], np.int64))[0])]
