"""Dead letters in MongoDB: what is said about them in one collection, their bodies in another, which lists never read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from bson.binary import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel, UpdateOne

from services.interactions.handlers.dead_letters import Kept, Selection
from services.interactions.store.documents import SETTLED
from shared.contracts.fact import Reason
from shared.messaging.dead_letters import DeadLetter
from shared.mongo import Database, Document, Session, aggregate, ensure_collections

NEWEST_FIRST = [("kept_at", DESCENDING), ("_id", DESCENDING)]
INDEXES = [
    IndexModel(NEWEST_FIRST, name="newest_first"),
    IndexModel(
        [("status", ASCENDING), ("reason", ASCENDING), ("handler", ASCENDING), ("kept_at", ASCENDING)], name="open"
    ),
]
OPEN, REPLAYED = "open", "replayed"


class DeadLetterStore:
    """A letter is kept once, however often it arrives."""

    def __init__(self, database: Database) -> None:
        self._letters = database["dead_letters"].with_options(read_concern=SETTLED)
        self._bodies = database["dead_letter_bodies"].with_options(read_concern=SETTLED)

    async def prepare(self) -> None:
        await self._letters.create_indexes(INDEXES)
        await ensure_collections(self._bodies.database, [self._bodies.name])

    async def keep(self, letters: Sequence[Kept], session: Session | None) -> None:
        bodies = [UpdateOne({"_id": kept.id}, {"$setOnInsert": _body(kept.letter)}, upsert=True) for kept in letters]
        notes = [UpdateOne({"_id": kept.id}, {"$setOnInsert": _note(kept)}, upsert=True) for kept in letters]
        await self._bodies.bulk_write(bodies, ordered=False, session=session)
        await self._letters.bulk_write(notes, ordered=False, session=session)

    async def letter(self, letter_id: str, session: Session | None = None) -> Kept | None:
        found = await self.letters([letter_id], session)
        return found[0] if found else None

    async def letters(self, ids: Collection[str], session: Session | None) -> list[Kept]:
        """With their bodies, in the order in which they were kept."""
        wanted = {"_id": {"$in": list(ids)}}
        bodies = {body["_id"]: body async for body in self._bodies.find(wanted, session=session)}
        notes = self._letters.find(wanted, session=session).sort([("kept_at", ASCENDING), ("_id", ASCENDING)])
        return [_kept(note, bodies[note["_id"]]) async for note in notes]

    async def open_ids(self, selection: Selection, *, most: int, most_bytes: int, session: Session | None) -> list[str]:
        """The oldest open ones, as many as the limits allow, and at least one if there is any."""
        oldest = self._letters.find(_wanted(selection, OPEN), {"size": 1}, session=session)
        ids: list[str] = []
        async for note in oldest.sort([("kept_at", ASCENDING), ("_id", ASCENDING)]).limit(most):
            most_bytes -= note["size"]
            if ids and most_bytes < 0:
                break
            ids.append(note["_id"])
        return ids

    async def mark_replayed(self, ids: Collection[str], at: datetime, by: str, session: Session | None) -> None:
        replayed = {"status": REPLAYED, "replayed_at": at, "replayed_by": by}
        await self._letters.update_many({"_id": {"$in": list(ids)}}, {"$set": replayed}, session=session)

    async def count_open(self, selection: Selection) -> int:
        return await self._letters.count_documents(_wanted(selection, OPEN))

    async def page(
        self, selection: Selection, *, status: str | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Kept]:
        """Newest first, after a given one; without keys, headers and bodies."""
        wanted = _wanted(selection, status)
        if after:
            at, name = after
            wanted["$or"] = [{"kept_at": {"$lt": at}}, {"kept_at": at, "_id": {"$lt": name}}]
        found = self._letters.find(wanted).sort(NEWEST_FIRST).limit(limit)
        return [_kept(note) async for note in found]

    async def by_reason(self, status: str | None) -> dict[str, int]:
        pipeline: list[Document] = [
            {"$match": _wanted(Selection(), status)},
            {"$group": {"_id": "$reason", "letters": {"$sum": 1}}},
            {"$sort": {"_id": 1}},
        ]
        return {group["_id"]: group["letters"] for group in await aggregate(self._letters, pipeline)}


def _wanted(selection: Selection, status: str | None) -> Document:
    wanted: Document = {"status": status, "reason": selection.reason, "handler": selection.handler}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return wanted | ({"kept_at": {"$lte": selection.kept_until}} if selection.kept_until else {})


def _note(kept: Kept) -> Document:
    letter = kept.letter
    note: Document = {
        "status": OPEN,
        "kept_at": kept.kept_at,
        "place": letter.id,
        "reason": letter.reason.value,
        "detail": letter.detail,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "handler": letter.handler,
        "first_seen": letter.first_seen,
        "replays": letter.replays,
        "size": kept.size,
    }
    told = {"element": letter.element, "source": kept.source, "type": kept.type, "event_id": kept.event_id}
    return note | {name: value for name, value in told.items() if value is not None}


def _body(letter: DeadLetter) -> Document:
    headers = [[name, _binary(value)] for name, value in letter.headers]
    return {"key": _binary(letter.key), "value": _binary(letter.value), "headers": headers}


def _binary(value: bytes | None) -> Binary | None:
    return None if value is None else Binary(value)


def _kept(note: Mapping[str, Any], body: Mapping[str, Any] | None = None) -> Kept:
    return Kept(
        id=note["_id"],
        letter=_letter(note, body or {}),
        kept_at=note["kept_at"],
        source=note.get("source"),
        type=note.get("type"),
        event_id=note.get("event_id"),
        size=note["size"],
        replayed_at=note.get("replayed_at"),
        replayed_by=note.get("replayed_by"),
    )


def _letter(note: Mapping[str, Any], body: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        id=note["place"],
        reason=Reason(note["reason"]),
        detail=note["detail"],
        topic=note["topic"],
        partition=note["partition"],
        offset=note["offset"],
        element=note.get("element"),
        handler=note["handler"],
        first_seen=note["first_seen"],
        replays=note["replays"],
        key=body.get("key"),
        value=body.get("value"),
        headers=[(name, value) for name, value in body.get("headers", [])],
    )
