"""Links that name a customer who is erased: gone from the contacts at their other ends, which are told anew, and from history."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.contacts.domain.links import last_above, without
from services.contacts.domain.survivorship import Known
from services.contacts.handlers.book import Store, open_book
from services.contacts.store.history import COLLECTION as CHANGES
from shared.clock import Clock
from shared.erasing import Work
from shared.messaging import Unit
from shared.mongo import Database, Session

PIECE = 100
"""Contacts that are changed in one transaction."""


class Unlinked:
    """A step of erasures (`shared.erasing`). Who is left stays as they are otherwise."""

    collections = ("contacts",)

    def __init__(self, store: Store, clock: Clock, country: str | None = None) -> None:
        self.store = store
        self.clock = clock
        self.country = country

    async def begin(self, work: Work) -> None:
        """They are found by index."""

    async def piece(self, unit: Unit, work: Work) -> int:
        named = {"$in": list(work.customers)}
        found = unit.database["contacts"].find({"links.to": named}, {"_id": 1}, session=unit.session).limit(PIECE)
        holders = [row["_id"] async for row in found]
        if not holders:
            return 0
        book = await open_book(self.store, unit, holders, await self.clock.now(unit.session), self.country)
        roots = {book.root(holder) for holder in holders}
        for root in roots:
            above_until = last_above(book.current[root].published.links, work.customers, book.now)
            for part in book.parts(root).values():
                book.take(_without(part, work.customers, above_until))
        await book.save(self.store)
        # After it, so that what has just been changed does not say what was there before.
        await _forget(unit.database, {*holders, *roots}, work.customers, unit.session)
        return len(holders)


def _without(known: Known, erased: Sequence[str], above_until: datetime | None) -> Known:
    links = without(known.contact.links, erased, above_until)
    return replace(known, contact=known.contact.model_copy(update={"links": links}))


async def _forget(database: Database, holders: set[str], erased: Sequence[str], session: Session | None) -> None:
    """In the history of the holders."""
    links: dict[str, Any] = {"to": {"$in": list(erased)}}
    wanted = {"customers": {"$in": sorted(holders)}}
    changes = database[CHANGES]
    await changes.update_many(
        wanted | {"fields.field": "links"},
        {"$pull": {"fields.$[link].before": links, "fields.$[link].after": links}},
        array_filters=[{"link.field": "links"}],
        session=session,
    )
    await changes.update_many(
        wanted | {"whole.links.to": links["to"]}, {"$pull": {"whole.links": links}}, session=session
    )
