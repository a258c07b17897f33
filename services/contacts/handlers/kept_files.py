"""Files of contacts that are still kept, looked through for the rows that speak of one person.

That is asked for rarely, and a file may have a million rows: they are read in threads, a few at a time, and an answer has only so
long for it. Whatever has not been looked through is said.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from typing import IO, NamedTuple, Protocol, TypeVar

from services.contacts.domain.importing.speaking import Speaking
from services.contacts.domain.naming import Sought
from services.contacts.formats.records import MAX_RECORD, Record, Unreadable
from services.contacts.handlers.importing import open_file
from services.contacts.handlers.imports import Import

T = TypeVar("T")
ROWS_AT_A_TIME = 250
"""Read in one piece: some milliseconds, between which everything else has its turn."""
SHOWN, SHOWN_CHARACTERS = 100, MAX_RECORD
"""Rows of one file, and how long they are together: of a person there are a few, and of more an answer says how many."""
TOO_LONG = "looking through it would take too long"
UNREADABLE = "it cannot be read"
NOT_ALL_THERE = "it has not been sent to its end, so that nobody knows how it is to be read"


class KeptFile(NamedTuple):
    """A file as it lies there. `until`: when it goes, if it is not done with before; `one`: None, if its sending broke off."""

    import_id: str
    until: datetime
    one: Import | None


class Files(Protocol):
    """Where files are kept."""

    def chunks(self, import_id: str) -> AsyncIterator[bytes]:
        """The file, piece by piece. Raises Unreadable if it is no longer kept."""
        ...


class Found(NamedTuple):
    """A row that speaks of the person. `number`: in the file, from 0; `names`: of all of whom it speaks."""

    number: int
    record: Record
    names: Collection[str]


@dataclass
class Looked:
    """What a file has of the person. `rows`: so many have been looked at; `more`: speak of them beside those that are shown."""

    found: list[Found] = field(default_factory=list)
    more: int = 0
    rows: int = 0
    left: str | None = None
    """Why the rows behind those have not been looked at; None: there are none."""
    seconds: float = 0.0
    """That it has taken."""


class LookingThrough:
    """The use case. `country`: of telephone numbers without one. One file at a time, as a copy of it lies on the disk meanwhile."""

    def __init__(self, files: Files, country: str | None) -> None:
        self._files = files
        self._country = country
        self._turn = asyncio.Lock()

    async def look(self, kept: KeptFile, names: Collection[str], seconds: float) -> Looked:
        """For whoever is known by one of these names, for so long. Of a file that goes meanwhile nothing is held any more."""
        if kept.one is None:
            return Looked(left=NOT_ALL_THERE)
        if seconds <= 0:
            return Looked(left=TOO_LONG)
        async with self._turn:
            looked, begun = Looked(), _now()
            with tempfile.TemporaryFile() as file:
                try:
                    if await self._copied(kept.one, file, begun + seconds):
                        await self._read(kept.one, file, names, looked, begun + seconds)
                except _Late:
                    looked.left = TOO_LONG
            looked.seconds = _now() - begun
            return looked

    async def _copied(self, one: Import, file: IO[bytes], until: float) -> bool:
        """Whether all of it is still there. Raises _Late."""
        try:
            async for chunk in self._files.chunks(one.import_id):
                await _in_thread(partial(file.write, chunk))
                _in_time(until)
        except Unreadable:
            return False
        return file.tell() == one.size

    async def _read(self, one: Import, file: IO[bytes], names: Collection[str], looked: Looked, until: float) -> None:
        """Raises _Late."""
        try:
            records = iter(await _in_thread(partial(open_file, file, one)))
            search = _Search(one, self._country, names, records, looked)
            while await _in_thread(search.piece):
                _in_time(until)
        except Unreadable:
            looked.left = UNREADABLE


class _Late(Exception):
    """There is no more time for the file."""


def _in_time(until: float) -> None:
    if _now() > until:
        raise _Late


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Search:
    """Through the rows of one file, for what is put down in `looked`."""

    def __init__(
        self, one: Import, country: str | None, names: Collection[str], records: Iterator[Record], looked: Looked
    ) -> None:
        self._records = records
        self._names = frozenset(names)
        self._speaking = Speaking(one.mapping_name, one.mapping, country)
        self._roughly = Speaking(one.mapping_name, one.mapping, country, Sought(names))
        self._looked = looked
        self._left = SHOWN_CHARACTERS

    def piece(self) -> bool:
        """Whether there may be more. Raises Unreadable."""
        before = self._looked.rows
        for record in islice(self._records, ROWS_AT_A_TIME):
            readable = record.fault is None
            if not self._names.isdisjoint(self._roughly.of(record.cells, readable=readable)):
                self._take(record, self._speaking.of(record.cells, readable=readable))
            self._looked.rows += 1
        return self._looked.rows - before == ROWS_AT_A_TIME

    def _take(self, record: Record, names: Collection[str]) -> None:
        looked = self._looked
        length = sum(
            len(text) for cell in record.cells.values() for text in ([cell] if isinstance(cell, str) else cell)
        )
        if looked.more or len(looked.found) == SHOWN or (looked.found and length > self._left):
            looked.more += 1
        else:
            looked.found.append(Found(looked.rows, record, names))
            self._left -= length


async def _in_thread(work: Callable[[], T]) -> T:
    """To its end also where nobody waits for it any more, as the file must not be closed under it."""
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise
