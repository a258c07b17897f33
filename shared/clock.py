"""What time it is: on the wall, or in a history that is being played."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from pymongo import UpdateOne

from shared.messaging import Received, Unit
from shared.mongo import Database, Session
from shared.settings import PlatformSettings

COLLECTION = "clock"


class Clock(Protocol):
    """The service's now. `witness` is called with every batch, inside its transaction; with the session of that
    transaction `now` knows what it has just witnessed.
    """

    async def now(self, session: Session | None = None) -> datetime: ...

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None: ...


class WallClock:
    """Now is now."""

    async def now(self, session: Session | None = None) -> datetime:  # noqa: ARG002
        return datetime.now(UTC)

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        """The wall's clock needs no witness."""


class StreamClock:
    """Now is the newest event time that the service has seen; kept with its state, so it never goes back."""

    def __init__(self, database: Database) -> None:
        self._times = database[COLLECTION]

    async def now(self, session: Session | None = None) -> datetime:
        """The wall's now until the first event."""
        newest = [document["latest"] async for document in self._times.find(session=session)]
        return max(newest, default=datetime.now(UTC))

    async def witness(self, unit: Unit, events: Sequence[Received]) -> None:
        """A document per partition, so that two instances never write the same one."""
        latest: dict[int, datetime] = {}
        for event in events:
            latest[event.partition] = max(event.time, latest.get(event.partition, event.time))
        if latest:
            moves = [UpdateOne({"_id": p}, {"$max": {"latest": time}}, upsert=True) for p, time in latest.items()]
            await self._times.bulk_write(moves, ordered=False, session=unit.session)


def clock(settings: PlatformSettings, database: Database) -> Clock:
    return StreamClock(database) if settings.clock == "stream" else WallClock()
