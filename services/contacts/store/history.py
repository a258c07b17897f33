"""The changes of contacts in MongoDB: a document each, written with the change that it is about."""

from collections.abc import AsyncIterator, Collection as Many, Sequence
from datetime import datetime
from typing import Any

from pymongo import DESCENDING

from services.contacts.domain.changes import Author, Change, FieldChange
from shared.contracts.contacts import Contact
from shared.mongo import Collection, Database, Document, Session, ensure_collections

COLLECTION = "changes"
NEWEST_FIRST = [("recorded_at", DESCENDING), ("_id", DESCENDING)]


class HistoryStore:
    """Changes are only ever added, and erased.

    The id of a document is the change's place, so those of one id are found in order without an index of their own, and
    none is kept twice. `customers` are all whose data can be in it: under whose id it is, of whom it was said, who was part of it.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.changes = database[COLLECTION]

    async def prepare(self) -> None:
        await ensure_collections(self.database, [COLLECTION])
        await self.changes.create_index([("customers", 1), *NEWEST_FIRST])

    async def add(self, changes: Sequence[Change], session: Session | None) -> None:
        if changes:
            await self.changes.insert_many([_row(change) for change in changes], ordered=False, session=session)

    async def changes_of(
        self, customers: Many[str], before: tuple[datetime, str] | None, limit: int
    ) -> list[tuple[str, Change]]:
        """What was published under their ids or said of them, the newest first, each with its place in this list."""
        theirs = {"$in": list(customers)}
        wanted: Document = {"customers": theirs, "$and": [{"$or": [{"customer_id": theirs}, {"of": theirs}]}]}
        if before:
            at, place = before
            wanted["$or"] = [{"recorded_at": {"$lt": at}}, {"recorded_at": at, "_id": {"$lt": place}}]
        found = self.changes.find(wanted).sort(NEWEST_FIRST).limit(limit)
        return [(row["_id"], _change(row)) async for row in found]

    async def under(self, customer: str) -> AsyncIterator[Change]:
        """All changes under an id, the latest version first."""
        # The character after the colon ends the range.
        async for row in self.changes.find({"_id": {"$gt": f"{customer}:", "$lt": f"{customer};"}}).sort("_id", -1):
            yield _change(row)

    async def erase(self, customers: Many[str], session: Session | None = None) -> None:
        """Forget what is about these customers.

        Where they were part of somebody who is left, that one's change stays without any value, and says so.
        """
        about = {"customers": {"$in": list(customers)}}
        await erase(self.changes, about, customers, session)


async def erase(changes: Collection, which: Document, customers: Many[str], session: Session | None) -> None:
    """Of these documents."""
    await changes.delete_many(which | {"customer_id": {"$in": list(customers)}}, session=session)
    emptied = {"$set": {"fields": [], "erased": True}, "$unset": dict.fromkeys(("whole", "reason", "event_id"), "")}
    await changes.update_many(which, emptied, session=session)


def _row(change: Change) -> Document:
    """Without what is absent, as most of it is."""
    author = change.author
    told: dict[str, Any] = {
        "source": author.source or None,
        "by": author.by,
        "reason": author.reason,
        "event_id": author.event_id,
        "said_at": change.said_at,
        "merge_id": change.merge_id,
        "into": change.into,
        "among": list(change.among) or None,
        "whole": change.whole and change.whole.model_dump(),
    }
    return {
        "_id": change.place,
        "customer_id": change.customer_id,
        "customers": sorted({change.customer_id, change.of, *change.among}),
        "of": change.of,
        "kind": change.kind,
        "version": change.version,
        "recorded_at": change.recorded_at,
        "was_at": change.was_at,
        "fields": [_present(field._asdict()) for field in change.fields],
        **_present(told),
    }


def _change(row: Document) -> Change:
    whole = row.get("whole")
    return Change(
        customer_id=row["customer_id"],
        version=row["version"],
        kind=row["kind"],
        recorded_at=row["recorded_at"],
        was_at=row["was_at"],
        of=row["of"],
        fields=tuple(
            FieldChange(one["field"], one.get("before"), one.get("after"), one.get("said_at")) for one in row["fields"]
        ),
        among=tuple(row.get("among", ())),
        author=Author(row.get("source", ""), row.get("by"), row.get("reason"), row.get("event_id")),
        said_at=row.get("said_at"),
        merge_id=row.get("merge_id"),
        into=row.get("into"),
        whole=Contact.model_validate(whole) if whole else None,
        erased=row.get("erased", False),
    )


def _present(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}
