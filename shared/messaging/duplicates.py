"""Events that a channel system sends twice: the same (source, id) has its effect once."""

from __future__ import annotations

from collections.abc import Sequence

from shared.messaging.received import Received
from shared.messaging.unit import Unit
from shared.mongo import Database

COLLECTION = "seen"
KEPT_DAYS = 90


def event_key(event: Received) -> str:
    """Unique per event of a source. The line break cannot be part of a header's id by mistake."""
    return f"{event.source}\n{event.id}"


async def prepare(database: Database) -> None:
    """Create the collection, and the index that forgets keys no channel sends again any more."""
    await database[COLLECTION].create_index("at", expireAfterSeconds=KEPT_DAYS * 86_400)


async def fresh(unit: Unit, events: Sequence[Received]) -> tuple[list[Received], int]:
    """The events that come for the first time, and how many did not. Remembers them in the unit's transaction."""
    first: dict[str, Received] = {}
    for event in events:
        first.setdefault(event_key(event), event)
    seen = unit.database[COLLECTION]
    known = {d["_id"] async for d in seen.find({"_id": {"$in": list(first)}}, {"_id": 1}, session=unit.session)}
    new = {key: event for key, event in first.items() if key not in known}
    if new:
        await seen.insert_many([{"_id": key, "at": unit.now} for key in new], ordered=False, session=unit.session)
    return list(new.values()), len(events) - len(new)
