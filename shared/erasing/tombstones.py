"""Who was erased, by id alone: in the database for good, and in memory as long as something about them may still come."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta

from pymongo import ASCENDING, UpdateOne

from shared.mongo import Database, Session, ensure_collections

COLLECTION = "erased"
REMEMBERED = timedelta(days=45)
"""No topic keeps a record for so long, so nothing about them is under way any more."""
OVERLAP = timedelta(minutes=10)
"""Instances' clocks may differ by so much without one missing what another has written."""
NOBODY: frozenset[str] = frozenset()
Forget = Callable[[Collection[str]], None]


def nothing_by_heart(_: Collection[str]) -> None:
    """Of a service that reads what it needs."""


class Tombstones:
    """Customers who were erased. What this instance knows of them is as old as its last `look`."""

    def __init__(self, database: Database, forget: Forget = nothing_by_heart) -> None:
        """`forget`: drop what this process knows of customers by heart."""
        self._database = database
        self._forget = forget
        self._erased = database[COLLECTION]
        self._lately: dict[str, datetime] = {}
        self._newest: datetime | None = None

    async def prepare(self) -> None:
        """Before anything is consumed."""
        await ensure_collections(self._database, [COLLECTION])
        await self._erased.create_index([("at", ASCENDING)])
        await self.look()

    async def look(self) -> None:
        """Hear of what other instances have erased; forget whom nothing can be told of any more."""
        now = datetime.now(UTC)
        oldest = now - REMEMBERED
        # The newest may have been written under a clock that was ahead: those that follow it seem older.
        begin = max(oldest, min(self._newest, now) - OVERLAP) if self._newest else oldest
        found = {row["_id"]: row["at"] async for row in self._erased.find({"at": {"$gt": begin}}, {"at": 1})}
        if found:
            self._newest = max(found.values())
            self._note(found)
        for customer in [one for one, at in self._lately.items() if at < oldest]:
            del self._lately[customer]

    async def put(self, customers: Collection[str], erasure_id: str, at: datetime, session: Session | None) -> None:
        rows = [
            UpdateOne({"_id": customer}, {"$setOnInsert": {"erasure": erasure_id, "at": at}}, upsert=True)
            for customer in customers
        ]
        await self._erased.bulk_write(rows, ordered=False, session=session)

    def heard(self, customers: Iterable[str], at: datetime) -> None:
        """That they are erased is certain, whatever becomes of the transaction in hand."""
        self._note(dict.fromkeys(customers, at))

    def _note(self, erased: Mapping[str, datetime]) -> None:
        if new := erased.keys() - self._lately.keys():
            self._forget(new)
        self._lately.update(erased)

    def among(self, customers: Iterable[str]) -> Collection[str]:
        """Those of them who were erased. Nearly always nobody, and then this costs nothing."""
        return self._lately.keys() & customers if self._lately else NOBODY

    async def erasure_of(self, customer: str, session: Session | None) -> str | None:
        row = await self._erased.find_one({"_id": customer}, session=session)
        return row["erasure"] if row else None
