"""What of a database is about customers, and how it is removed: a table of steps for each service, a line a collection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from shared import idempotency
from shared.messaging import Unit
from shared.mongo import Document

PIECE = 500
"""Documents that one transaction removes: some milliseconds, so that nothing else waits for it."""
Where = Callable[[Sequence[str]], Document]
GONE = 410


class Work(NamedTuple):
    """Whom to erase."""

    erasure_id: str
    customers: Sequence[str]


class Step(Protocol):
    """Empties one collection of customers, or a few that belong together."""

    @property
    def collections(self) -> Sequence[str]: ...

    async def begin(self, work: Work) -> None:
        """Once before the pieces, outside any transaction."""

    async def piece(self, unit: Unit, work: Work) -> int:
        """Remove some, in a transaction; how many. 0: nothing is left."""
        ...


def by(field_name: str) -> Where:
    """Documents that name a customer in this field, or in this list."""
    return lambda customers: {field_name: {"$in": list(customers)}}


customers_of = by("_id")
"""One document a customer."""


def one_of(separator: str) -> Where:
    """Documents whose id begins with a customer's, before the separator."""

    def where(customers: Sequence[str]) -> Document:
        # A range of the index each; the character that follows the separator ends it.
        end = chr(ord(separator) + 1)
        return {"$or": [{"_id": {"$gt": one + separator, "$lt": one + end}} for one in customers]}

    return where


@dataclass(frozen=True)
class Delete:
    """Documents that say nothing but what concerns the customer."""

    collection: str
    where: Where = field(default=customers_of)

    @property
    def collections(self) -> Sequence[str]:
        return (self.collection,)

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        rows = unit.database[self.collection]
        found = rows.find(self.where(work.customers), {"_id": 1}, session=unit.session).limit(PIECE)
        ids = [row["_id"] async for row in found]
        if ids:
            await rows.delete_many({"_id": {"$in": ids}}, session=unit.session)
        return len(ids)


@dataclass(frozen=True)
class Answers:
    """Answers kept for requests that come twice: whoever asks again hears that it is gone, and changes nothing."""

    collections: Sequence[str] = (idempotency.COLLECTION,)

    async def begin(self, work: Work) -> None:
        """Nothing to find out."""

    async def piece(self, unit: Unit, work: Work) -> int:
        answers = unit.database[idempotency.COLLECTION]
        # Of a day at most, so they are looked through. Answers about erasures themselves hold nothing but ids.
        named = {"$regex": "|".join(work.customers), "$not": {"$regex": '"erasure_id"'}}
        gone: Document = {"$set": {"status": GONE, "body": None, "headers": {}}}
        return (await answers.update_many({"body": named}, gone, session=unit.session)).modified_count
