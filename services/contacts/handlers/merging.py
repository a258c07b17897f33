"""Merging customers who were found to be one, and taking it back. Each is one transaction over all that it concerns."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from services.contacts.domain.access import EVERYBODY, Rows
from services.contacts.domain.changes import Author
from services.contacts.domain.merging import Merge, merged, unmerged
from services.contacts.domain.survivorship import milliseconds
from services.contacts.handlers.book import Book, Store, open_book
from services.contacts.handlers.errors import AlreadyMerged, NoSuchContact, NoSuchMerge, OutOfSight, SameContact
from shared.clock import Clock
from shared.contracts.contacts import ContactMerged, ContactUnmerged
from shared.ids import uuid7
from shared.messaging import Unit

log = structlog.get_logger(__name__)
AfterMerge = Callable[[Unit, Sequence[str]], Awaitable[None]]


@dataclass(frozen=True)
class Decision:
    """Who decides, and why."""

    by: str
    reason: str | None = None
    name: str | None = None
    """Of the key that `by` is."""
    rows: Rows = EVERYBODY
    """The contacts that they may see."""

    @property
    def author(self) -> Author:
        return Author(self.by, self.name, self.reason)


async def nothing_follows(_: Unit, __: Sequence[str]) -> None:
    """Where nothing else depends on who is one."""


class Merging:
    """The use cases of merging.

    Two that touch the same customer meet in the customer's row: the later is run again and sees what the first has done.
    """

    def __init__(
        self, store: Store, clock: Clock, country: str | None = None, after_merge: AfterMerge = nothing_follows
    ) -> None:
        """`after_merge`: what else becomes of those who are one now, in the same transaction."""
        self.store = store
        self.clock = clock
        self.country = country
        self.after_merge = after_merge

    async def merge(self, unit: Unit, survivor: str, absorbed: str, decision: Decision) -> Merge:
        """Merge one into the other. What has been done already is only answered.

        Raises SameContact, NoSuchContact, AlreadyMerged, TooManyMembers, TooManyConsents, OutOfSight.
        """
        if survivor == absorbed:
            raise SameContact(survivor)
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, {survivor, absorbed}, now, self.country)
        if done := await self._done(book, survivor, absorbed, decision.rows):
            return done
        # Statements are kept to the millisecond, and consents are held against this moment.
        merge = Merge(uuid7(now), survivor, absorbed, milliseconds(now), decision.by, decision.reason)
        parts = merged({**book.parts(survivor), **book.parts(absorbed)}, merge)
        turn = parts[absorbed].place.turn
        fact = ContactMerged(
            merge_id=merge.merge_id, survivor=survivor, absorbed=absorbed, turn=turn, merged_at=merge.merged_at
        )
        book.tell(fact, (survivor, absorbed))
        book.chronicle.given_up(merge, book.current[absorbed].published, decision.author)
        book.regroup_after("merged", merge, survivor, parts, decision.author)
        await self._save(book, merge, decision.rows)
        await self.after_merge(unit, sorted(parts))
        log.info("contacts_merged", merge_id=merge.merge_id, survivor=survivor, absorbed=absorbed)
        return merge

    async def undo(self, unit: Unit, merge_id: str, decision: Decision) -> Merge:
        """Take a merge back. What has been taken back already is only answered. Raises NoSuchMerge, OutOfSight."""
        merge = await self.store.merge(merge_id, unit.session)
        if merge is None:
            raise NoSuchMerge(merge_id)
        now = await self.clock.now(unit.session)
        book = await open_book(self.store, unit, {merge.absorbed, merge.survivor}, now, self.country)
        root = book.root(merge.absorbed)
        for customer in (root, book.root(merge.survivor)):
            if not decision.rows.sees(book.current[customer].published):
                raise NoSuchMerge(merge_id)
        if merge.undone_at is not None:
            return merge
        parts = unmerged(book.parts(root), merge.absorbed)
        undone = replace(merge, undone_at=milliseconds(now), undone_by=decision.by, undo_reason=decision.reason)
        fact = ContactUnmerged(
            merge_id=merge_id,
            survivor=merge.survivor,
            absorbed=merge.absorbed,
            turn=parts[merge.absorbed].place.turn,
            unmerged_at=milliseconds(now),
        )
        book.tell(fact, (merge.survivor, merge.absorbed))
        book.regroup_after("unmerged", merge, root, parts, decision.author)
        book.regroup_after("freed", merge, merge.absorbed, book.current, decision.author, set_free=True)
        await self._save(book, undone, decision.rows)
        log.info("contacts_unmerged", merge_id=merge_id, survivor=merge.survivor, absorbed=merge.absorbed)
        return undone

    async def _done(self, book: Book, survivor: str, absorbed: str, rows: Rows) -> Merge | None:
        """The same merge, if it stands already. Raises if the two cannot be merged as they are."""
        for customer in (survivor, absorbed):
            if customer not in book.current or not rows.sees(book.current[book.root(customer)].published):
                raise NoSuchContact(customer)
        place = book.current[absorbed].place
        if place.into == survivor and place.merge_id is not None:
            return await self.store.merge(place.merge_id, book.unit.session)
        for customer in (survivor, absorbed):
            if (root := book.root(customer)) != customer:
                raise AlreadyMerged(customer, root)
        return None

    async def _save(self, book: Book, merge: Merge, rows: Rows) -> None:
        for customer in (book.root(merge.survivor), book.root(merge.absorbed)):
            if not rows.sees(book.current[customer].published):
                raise OutOfSight(customer)
        book.merges.append(merge)
        await book.save(self.store)
