"""Contacts written to a file: page after page by id, so that memory does not grow with how many there are.

Each contact is as it was when its page was read. Everybody who was a customer of their own from beginning to end is in the
file exactly once; who was registered, merged or parted meanwhile may be in it or not. Whoever is restricted is not in it: where
a file goes nobody would know of it, nor hear when it is lifted.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.contacts.domain.access import Rows
from services.contacts.domain.exporting import exported
from services.contacts.domain.merging import together
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import Known
from services.contacts.domain.traits import Wanted
from services.contacts.formats.writing import Writer
from services.contacts.handlers.rulebook import Rulebook
from services.contacts.handlers.seeing import View
from shared.clock import Clock

PIECE = 500
"""Contacts written at a time, in a thread: some 50 ms, after which the event loop has its turn for certain."""


@dataclass(frozen=True)
class Asked:
    """Whom a file is about: whoever has all of this, as a search finds them. Nobody is meant by a slip of the keyboard."""

    typed: str | None = None
    """Of a name."""
    wanted: Sequence[Wanted] = ()
    only: str | None = None
    """This customer."""


ALL = Asked()


class Readable(Protocol):
    """Where contacts are read from."""

    async def piece(self, after: str, limit: int, asked: Asked, rows: Rows) -> tuple[list[Known], str | None]:
        """The contacts that follow an id, without those merged into others, as all of their parts make them; and behind which
        id to go on. None: that was all. A piece may have fewer than the limit, or nobody, and not be the last.
        """

    async def load(self, customers: Collection[str]) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""

    async def restricted(self, customers: Collection[str], session: None = None) -> Collection[str]:
        """Those of them whose data must not be used."""


class Exporting:
    """The use case."""

    def __init__(
        self, contacts: Readable, clock: Clock, country: str | None = None, rulebook: Rulebook | None = None
    ) -> None:
        self.contacts = contacts
        self.clock = clock
        self.country = country
        self.rulebook = rulebook or Rulebook()

    async def export(
        self, writer: Writer, fields: Sequence[str], view: View, asked: Asked = ALL
    ) -> AsyncIterator[bytes]:
        """The file, as the key may see it."""
        as_of = await self.clock.now()
        await view.looks_for("export")
        yield await asyncio.to_thread(writer.begin)
        after: str | None = ""
        while after is not None:
            piece, after = await self.contacts.piece(after, PIECE, asked, view.rows)
            restricted = await self.contacts.restricted([known.contact.customer_id for known in piece])
            if usable := [known for known in piece if known.contact.customer_id not in restricted]:
                shown = await view.parts_exported(await self._whole(usable))
                yield await asyncio.to_thread(_written, writer, shown, fields, as_of)
        yield await asyncio.to_thread(writer.end)

    async def _whole(self, roots: Sequence[Known]) -> list[Known]:
        """Each with what was said of all whom it was found to be."""
        members = {member for known in roots for member in known.place.members}
        if not members:
            return list(roots)
        parts = await self.contacts.load(members) | {known.contact.customer_id: known for known in roots}
        rules = await self.rulebook.current()
        return [self._one(known, parts, rules) if known.place.members else known for known in roots]

    def _one(self, known: Known, parts: dict[str, Known], rules: Rules) -> Known:
        """A part may be gone between two readings; then what was published of all stands."""
        if any(member not in parts for member in known.place.members):
            return known
        return together(known.contact.customer_id, parts, self.country, rules)


def _written(writer: Writer, whole: Sequence[Known], fields: Sequence[str], as_of: datetime) -> bytes:
    return writer.rows(exported(known, fields, as_of) for known in whole)
