"""Contacts written to a file: page after page by id, so that memory does not grow with how many there are.

Each contact is as it was when its page was read. Everybody who was a customer of their own from beginning to end is in the
file exactly once; who was registered, merged or parted meanwhile may be in it or not.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Protocol

from services.contacts.domain.exporting import exported
from services.contacts.domain.merging import together
from services.contacts.domain.ruling import Rules
from services.contacts.domain.survivorship import Known
from services.contacts.formats.writing import Writer
from services.contacts.handlers.rulebook import Rulebook
from services.contacts.handlers.seeing import View
from shared.clock import Clock

PIECE = 500
"""Contacts written at a time, in a thread: some 50 ms, after which the event loop has its turn for certain."""


class Readable(Protocol):
    """Where contacts are read from."""

    async def piece(self, after: str, limit: int, typed: str | None, only: str | None) -> list[Known]:
        """The contacts that follow an id, without those merged into others: those of a search, or only one."""

    async def load(self, customers: Collection[str]) -> dict[str, Known]:
        """These contacts; unknown ones are absent."""


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
        self, writer: Writer, fields: Sequence[str], view: View, typed: str | None = None, only: str | None = None
    ) -> AsyncIterator[bytes]:
        """The file, as the key may see it. `typed`: of whom a search finds; `only`: this customer."""
        as_of = await self.clock.now()
        yield await asyncio.to_thread(writer.begin)
        after = ""
        while piece := await self.contacts.piece(after, PIECE, typed, only):
            whole = await view.parts_exported(await self._whole(piece))
            yield await asyncio.to_thread(_written, writer, whole, fields, as_of)
            after = piece[-1].contact.customer_id
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
