"""Rows of files that were handed in before somebody in them was erased: they bring nobody back, and nothing of them is kept.

Who hands in a file after the erasure knows, or may know, that somebody is a customer anew; who has handed it in before cannot.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from services.contacts.domain.importing.drafting import Draft, Rejected
from services.contacts.domain.importing.speaking import Speaking
from services.contacts.formats.records import Record
from shared.mongo import Session

CLOCKS = timedelta(minutes=5)
"""Instances' clocks may differ by so much: a file handed in so shortly after an erasure may be from before it."""
ERASED = Rejected(
    "erased",
    None,
    "it speaks of somebody who was erased after the file was sent; who is a customer anew comes with a new file",
)
Piece = list[tuple[Record, Draft | Rejected]]


class Erased(Protocol):
    """What the erased were known by, as long as such files may be left."""

    async def any(self, since: datetime, session: Session | None) -> bool: ...

    async def among(self, names: Collection[str], since: datetime, session: Session | None) -> set[str]: ...


async def without_the_erased(
    erased: Erased, piece: Piece, speaking: Speaking, handed_in: datetime, session: Session | None
) -> Piece:
    """The rows of a file, those that speak of the erased rejected and empty.

    In the transaction that takes them: of an erasure that commits meanwhile and a row that changes its customer one is run again,
    as both write the contact. Whatever of a row was theirs is enough, also a telephone number that a family shares: that nobody
    comes back goes before a row that can be sent again.
    """
    since = handed_in - CLOCKS
    if not await erased.any(since, session):
        return piece
    spoken_of = await asyncio.to_thread(_spoken_of, piece, speaking)
    found = await erased.among({one for names in spoken_of for one in names}, since, session)
    return [
        (Record(record.line, {}), ERASED) if names & found else (record, draft)
        for (record, draft), names in zip(piece, spoken_of, strict=True)
    ]


def _spoken_of(piece: Sequence[tuple[Record, Draft | Rejected]], speaking: Speaking) -> list[frozenset[str]]:
    return [speaking.of(record.cells, readable=record.fault is None) for record, _ in piece]
