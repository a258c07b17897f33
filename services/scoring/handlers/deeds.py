"""What customers do, remembered for wishes, books, contracts and churn: one document is read and written for all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import structlog

from services.scoring.domain.behaviour import Behaviour, Doing
from services.scoring.domain.contracts.facts import ContractFact, Contracts
from services.scoring.domain.profit.book import Book, Movement
from services.scoring.domain.purchases import BeyondTheBooks
from services.scoring.domain.wishes.customer import Wishes
from services.scoring.handlers.behaving import doings
from services.scoring.handlers.booking import Deed, movements
from services.scoring.handlers.contracting import fact_of
from services.scoring.handlers.wishing import Liked, Wishing
from shared.contracts.interactions import ContractChanged
from shared.messaging import Received, Unit
from shared.mongo import Session

log = structlog.get_logger()
MOST_SUMS = 2_000
"""Of a month of a customer's book: some 100 kB. Beyond that what is new is booked without its subject."""
MOST_CONTRACT_FACTS = 10_000
"""Of a customer: a megabyte. What comes after them is in the history alone."""


class Remembered(NamedTuple):
    """`book` has only the months that were asked for, `contracts` and `behaviour` (packed) are of those asked for only."""

    wishes: Wishes = Wishes()
    book: Book = Book()
    contracts: Contracts = Contracts()
    behaviour: bytes = b""


class Change(NamedTuple):
    """What is new of a customer: wishes, the months of the book that have changed; contracts and behaviour if they have."""

    customer_id: str
    liked: Liked
    months: Mapping[int, Book]
    contracts: Contracts | None = None
    behaviour: bytes | None = None


class Memory(Protocol):
    """Where it is kept."""

    async def load(
        self,
        customers: Collection[str],
        months: Collection[int] | None = None,
        session: Session | None = None,
        whole: Collection[str] | None = None,
    ) -> dict[str, Remembered]:
        """With these months of the books; all of them for None.

        `whole`: of whom contracts and behaviour are wanted too, all for None: they may be large, and orders have no use
        for them.
        """
        ...

    async def save(self, changes: Sequence[Change], session: Session) -> None: ...


@dataclass
class Deeds:
    memory: Memory
    wishing: Wishing

    async def fold(self, unit: Unit, events: Sequence[Received]) -> None:
        """Remember a batch of orders, what became of orders, contacts, and what happened to contracts.

        `unit.prepared` has the names' numbers.
        """
        theirs: dict[str, list[Deed]] = {}
        signed: dict[str, list[ContractFact]] = {}
        did: dict[str, list[tuple[datetime, Doing]]] = {}
        for event in events:
            facts = theirs.setdefault(event.fact.customer_id, [])
            if done := doings(event.fact):
                did.setdefault(event.fact.customer_id, []).extend(done)
            if isinstance(event.fact, ContractChanged):
                signed.setdefault(event.fact.customer_id, []).append(fact_of(event.fact))
            else:
                facts.append(event.fact)
        booked = {customer: [one for fact in facts for one in movements(fact)] for customer, facts in theirs.items()}
        months = {movement.month for some in booked.values() for movement in some}
        known = await self.memory.load(theirs.keys(), months, unit.session, whole=did.keys() | signed.keys())
        changes = []
        for customer, facts in theirs.items():
            before = known.get(customer) or Remembered()
            liked = self.wishing.after(before.wishes, customer, facts, unit.prepared)
            after = _with(before.book, booked[customer], customer)
            touched = {movement.month for movement in booked[customer]}
            books = {month: after.within(month, month + 1) for month in touched}
            new = signed.get(customer)
            contracts = _with_contracts(before.contracts, new, customer) if new else None
            behaviour = Behaviour.grown(before.behaviour, did[customer]) if customer in did else None
            changes.append(Change(customer, liked, books, contracts, behaviour))
        await self.memory.save(changes, unit.session)


def _with_contracts(contracts: Contracts, new: Sequence[ContractFact], customer_id: str) -> Contracts:
    after = contracts.plus(Contracts.of(new))
    if len(after.facts) <= MOST_CONTRACT_FACTS:
        return after
    log.warning("too_many_contract_facts", customer_id=customer_id, facts=len(after.facts))
    return contracts


def _with(book: Book, movements: Sequence[Movement], customer_id: str) -> Book:
    """What no book can hold any more is said in the log: the sale itself is scored, and in the history."""
    if len(book.sums) + len(movements) > MOST_SUMS:
        # A channel that takes an id for a category must not make the customer's document too large to be written.
        movements = [one if one.key in book.sums else one._replace(subject="") for one in movements]
    try:
        return book.plus(Book.of(movements))
    except BeyondTheBooks:
        for movement in movements:
            try:
                book = book.plus(Book.of([movement]))
            except BeyondTheBooks:
                log.warning("beyond_the_books", customer_id=customer_id, event_id=movement.event, kind=movement.kind)
        return book
