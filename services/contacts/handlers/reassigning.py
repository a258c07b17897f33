"""Giving many contacts to another owner or territory: asked for at once, done in pieces, resumed where it was interrupted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, Protocol

from services.contacts.domain.changes import Author
from services.contacts.domain.survivorship import Statement, after_all_said
from services.contacts.handlers.book import Store, open_book
from shared.clock import Clock
from shared.ids import uuid7
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Transact, Unit
from shared.mongo import Session

Assigned = Literal["owner", "territory"]
PIECE = 100
"""Contacts that are changed in one transaction."""


class NoSuchReassignment(LookupError):
    """No reassignment has this id."""


@dataclass(frozen=True)
class Reassignment:
    """Whose contacts become whose: who asked for it, and how far it is got. Of a null in `to` the field is emptied."""

    reassignment_id: str
    of: Mapping[Assigned, str | None]
    to: Mapping[Assigned, str | None]
    source: str
    asked_at: datetime
    after: str = ""
    changed: int = 0
    done_at: datetime | None = None
    by: str | None = None
    """The name of the key that it was asked with."""


class Reassignments(Protocol):
    """Where reassignments are kept, and contacts are found by whose they are."""

    lease: Lease

    async def save(self, one: Reassignment, session: Session | None) -> None: ...

    async def get(self, reassignment_id: str, session: Session | None = None) -> Reassignment | None: ...

    async def unfinished(self) -> Sequence[Reassignment]:
        """Those that are not done, the earliest first."""
        ...

    async def whose(
        self, of: Mapping[Assigned, str | None], after: str, limit: int, session: Session | None
    ) -> Sequence[str]:
        """The customers that are these, as all their parts make them, in the order of their ids."""
        ...


class Reassigning:
    """The use cases of reassigning."""

    def __init__(
        self,
        reassignments: Reassignments,
        store: Store,
        clock: Clock,
        transact: Transact[Reassignment],
        owner: str,
        country: str | None,
    ) -> None:
        self.reassignments = reassignments
        self.store = store
        self.clock = clock
        self.transact = transact
        self.owner = owner
        self.country = country

    async def ask(
        self, unit: Unit, of: Mapping[Assigned, str | None], to: Mapping[Assigned, str | None], asker: Author
    ) -> Reassignment:
        """It begins within seconds, on one of the instances."""
        now = await self.clock.now(unit.session)
        one = Reassignment(uuid7(now), of, to, asker.source, now, by=asker.by)
        await self.reassignments.save(one, unit.session)
        return one

    async def read(self, reassignment_id: str) -> Reassignment:
        """Raises NoSuchReassignment."""
        found = await self.reassignments.get(reassignment_id)
        if found is None:
            raise NoSuchReassignment(reassignment_id)
        return found

    async def work(self) -> None:
        """Do what was asked for, if no other instance is at it. Raises LeaseLost."""
        if not await self.reassignments.unfinished():
            return
        with suppress(UnderWay):
            async with leased(self.reassignments.lease, self.owner, "Reassigning contacts"):
                for one in await self.reassignments.unfinished():
                    reached = one
                    while reached.done_at is None:
                        reached = await self.transact(partial(self._piece, reached))

    async def _piece(self, begun: Reassignment, unit: Unit) -> Reassignment:
        """The next contacts, and in the same transaction how far it is got."""
        one = await self.reassignments.get(begun.reassignment_id, unit.session) or begun
        now = await self.clock.now(unit.session)
        customers = await self.reassignments.whose(one.of, one.after, PIECE, unit.session)
        book = await open_book(self.store, unit, customers, now, self.country)
        for customer in customers:
            at = after_all_said(book.parts(customer).values(), now)
            told = Statement(one.source, at, fields={str(name): value for name, value in one.to.items()}, by=one.by)
            book.hear(customer, [told], author=Author(one.source, one.by))
        await book.save(self.store)
        if customers:
            one = replace(one, after=customers[-1], changed=one.changed + len(customers))
        if len(customers) < PIECE:
            one = replace(one, done_at=now)
        await self.reassignments.save(one, unit.session)
        return one
