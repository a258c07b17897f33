"""Setting the rules of survivorship while everything runs, and judging again by them what was said of contacts before."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from services.contacts.domain.changes import Author
from services.contacts.domain.ruling import MAX_RULES, NEWEST, Rule, places
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.book import Store, open_book
from services.contacts.handlers.rulebook import Kept
from shared.clock import Clock, WallClock
from shared.leases import Lease, UnderWay, leased
from shared.messaging import Transact, Unit
from shared.mongo import Session

CURRENT = timedelta(seconds=5)
"""After so long every instance knows a rule: it asks every second, and does not write if it cannot read."""
PIECE = 100
"""Contacts that are judged in one transaction, or up to twice as many."""


class TooManyRules(ValueError):
    """So many fields have a rule of their own already."""


class UnfitRule(ValueError):
    """The field cannot be decided by this rule."""


class RuleStore(Protocol):
    """Where rules are kept, and contacts are found that they may decide otherwise."""

    lease: Lease

    async def all(self, session: Session | None = None) -> dict[str, Kept]: ...

    async def save(self, field: str, kept: Kept, session: Session | None = None) -> None: ...

    async def remove(self, field: str, session: Session | None = None) -> None: ...

    async def concerned(self, places: Sequence[str], after: str, limit: int, session: Session | None) -> Sequence[str]:
        """The next of those of whom more than one thing was said in these places, or who are several: in the order of their ids.

        Nobody: there are no more.
        """
        ...


class Ruling:
    """The use cases of rules."""

    def __init__(
        self, kept: RuleStore, store: Store, clock: Clock, transact: Transact[Kept], owner: str, country: str | None
    ) -> None:
        self.kept = kept
        self.store = store
        self.clock = clock
        self.transact = transact
        self.owner = owner
        self.country = country
        # Leases and changes of rules are of the platform's own time, not of a history that is being played.
        self.wall = WallClock()

    async def refresh(self) -> None:
        """Know what the rules are now."""
        self.store.rulebook.learn(await self.kept.all())

    async def set(self, field: str, rule: Rule, by: Author) -> Kept:
        """Decide a field by this rule from now on, and soon also what was said before. Raises UnfitRule, TooManyRules."""
        if not rule.fits(field):
            raise UnfitRule(f"{field} has no parts that could be more or less complete")
        kept = await self.kept.all()
        before = kept.get(field, Kept())
        if before.rule == rule:
            return before
        if field not in kept and len(kept) >= MAX_RULES:
            raise TooManyRules(f"at most {MAX_RULES} fields can have a rule of their own")
        now = milliseconds(await self.wall.now())
        new = Kept(rule, by.source, by.by, now, work=True, due=now + CURRENT)
        await self.kept.save(field, new)
        await self.refresh()
        return new

    async def work_if_due(self) -> None:
        """Judge again by changed rules, if no other instance is at it. Raises LeaseLost."""
        if not await self._due():
            return
        with suppress(UnderWay):
            async with leased(self.kept.lease, self.owner, "Judging by changed rules"):
                for field, kept in (await self._due()).items():
                    await self._work(field, kept)

    async def _work(self, field: str, kept: Kept) -> None:
        """Piece by piece; where it is interrupted, it goes on."""
        while kept.work:
            kept = await self.transact(partial(self._piece, field, kept))

    async def _due(self) -> Mapping[str, Kept]:
        now = await self.wall.now()
        return {field: one for field, one in (await self.kept.all()).items() if one.work and one.due and one.due <= now}

    async def _piece(self, field: str, kept: Kept, unit: Unit) -> Kept:
        """The next contacts, with how far it is got. A rule that was changed meanwhile is left to the next round."""
        if (await self.kept.all(unit.session)).get(field) != kept:
            return replace(kept, work=False)
        customers = await self.kept.concerned(places(field), kept.after, PIECE, unit.session)
        book = await open_book(self.store, unit, customers, await self.clock.now(unit.session), self.country)
        author = Author(kept.source, kept.by, f"survivorship rule of {field} changed by {kept.by or kept.source}")
        for root in sorted({book.root(customer) for customer in customers}):
            book.judge_again(root, author)
        await book.save(self.store)
        return await self._reached(unit, field, kept, customers)

    async def _reached(self, unit: Unit, field: str, kept: Kept, customers: Sequence[str]) -> Kept:
        reached = replace(kept, after=customers[-1]) if customers else replace(kept, work=False, after="", due=None)
        if not reached.work and kept.rule == NEWEST:
            await self.kept.remove(field, unit.session)
        else:
            await self.kept.save(field, reached, unit.session)
        return reached
