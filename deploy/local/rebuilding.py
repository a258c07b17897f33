"""Makes a service's state anew from what the others keep, with the service's own code in this process and nobody else's
at work (`docs/decisions/0030-the-log-forgets.md`).

What follows from facts is forgotten, and the facts are told again to this service alone (`retelling`); what was decided over
HTTP (campaigns, segments, channels) follows from no fact and stays. Campaigns draws nobody and hands nobody over until all is taken
again: what profiles say by then, and what not, would decide who is contacted. Sync shows nothing until then, and what it shows
is newer than all that was ever shown (`views`, `docs/decisions/0050-views-begin-above-what-was-told.md`).
"""

from __future__ import annotations

import asyncio
import importlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from fastapi import FastAPI
from pymongo import AsyncMongoClient

from deploy.local import views
from deploy.local.beforehand import link, restrict
from deploy.local.drained import NotDrained, untold_or_running
from deploy.local.errors import CannotStart
from deploy.local.hearing import Hearing, hearing, left, position
from deploy.local.retelling import (
    EVERYBODY,
    HISTORY,
    MERGES,
    NEWEST_SCORES,
    OPEN_ERASURES,
    SELECTIONS,
    Database,
    Databases,
    Source,
    record,
)
from services.campaigns.store.campaigns import REBUILDING
from services.sync.store.rebuilding import COLLECTION as REBUILDS, MARK
from shared.http.app import Health
from shared.leases import LeaseLost, MongoLease, UnderWay, leased
from shared.messaging.producer import Producer
from shared.settings import PlatformSettings

LOOK_SECONDS = 0.2
STOP_FIRST = "Nothing was changed. Stop all services once nothing is left in their outboxes, and try again."
UNDER_WAY = (
    "Nothing was changed. Another rebuild is under way, or was broken off a moment ago: in a minute this is known."
)
INTERRUPTED = "The database was away for too long. Run it again."
Name = Literal["scoring", "campaigns", "sync"]


class Stopped(CannotStart):
    """The rebuild cannot go on by itself."""


@dataclass(frozen=True)
class Projection:
    """What makes a service's state, by the consumer group that hears it, and which collections hold it.

    Links between customers, which every such service keeps, are not only told again: see `beforehand.link`.
    """

    groups: Mapping[str, Sequence[Source]]
    collections: tuple[str, ...]
    rests: tuple[str, str] | None = None
    """Where the service reads that it is not to act on its state: a collection, and the id of a document."""
    composed_in: str = "main"
    """The module that composes the service for it."""


PROJECTIONS: dict[Name, Projection] = {
    "scoring": Projection(
        {"scoring": (HISTORY,), "scoring-merges": (MERGES,)}, ("customers", "moves", "population", "deeds")
    ),
    "campaigns": Projection(
        {"campaigns": (OPEN_ERASURES, EVERYBODY, HISTORY, NEWEST_SCORES)},
        ("profiles", "orders"),
        rests=("moved", REBUILDING),
    ),
    "sync": Projection(
        {"sync": (OPEN_ERASURES, EVERYBODY, HISTORY, NEWEST_SCORES, SELECTIONS)},
        ("parts",),  # and the views, but for those that say that somebody is erased
        rests=(REBUILDS, MARK),
        composed_in="rebuilding",
    ),
}


class Done(NamedTuple):
    """How far a rebuild is: records taken of all that there are, and facts that are still to be told."""

    records: int
    of: int
    untold: int

    @property
    def all(self) -> bool:
        return self.records >= self.of and not self.untold


async def rebuild(name: Name, settings: PlatformSettings, heard: Callable[[Done], None]) -> int:
    """Forget, and take all facts again; how many those were. Raises NotDrained while any service runs or has something to
    tell, or another rebuild is under way: a fact that is told meanwhile would be taken twice, or not at all.
    """
    projection = PROJECTIONS[name]
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(AsyncMongoClient[dict[str, Any]](settings.mongo_url, tz_aware=True))

        def database(service: str) -> Database:
            return mongo[f"{settings.namespace}rapport_{service}"]

        await stack.enter_async_context(alone(database(name)))
        groups = [
            await stack.enter_async_context(hearing(group, [t for one in sources for t in one.topics], settings))
            for group, sources in projection.groups.items()
        ]
        await at_rest(settings, projection, database(name))
        await rest(database(name), projection.rests)
        if name == "sync":
            await views.begin(database, settings, {place.partition for group in groups for place in group.partitions})
        for group in groups:
            ends = await group.consumer.end_offsets(group.partitions)
            await forget(database(name), group.name, projection.collections, group.consumer, ends)
        await link(database(name), database)
        if name == "scoring":
            await restrict(database(name), database)
        told = await retell(name, settings, database)
        service = importlib.import_module(f"services.{name}.{projection.composed_in}").create()
        async with service.router.lifespan_context(service):
            taken = Taking(name, service, lambda: progress(database(name), groups, told), heard)
            await taken.all()
            if name == "sync":
                await views.end(service, settings)
                await taken.all()
        await act(database(name), projection.rests)
        return told


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[None]:
    """One rebuild of a service at a time: what two tell again would be taken twice. Raises NotDrained, Stopped."""
    try:
        async with leased(MongoLease(database, "rebuild-lease"), secrets.token_hex(8), "A rebuild"):
            yield
    except UnderWay:
        raise NotDrained(UNDER_WAY) from None
    except LeaseLost:
        raise Stopped(INTERRUPTED) from None


class Taking(NamedTuple):
    """The service at work."""

    name: Name
    service: FastAPI
    progress: Callable[[], Awaitable[Done]]
    heard: Callable[[Done], None]

    async def all(self) -> None:
        """Wait until everything is taken, and told. Raises Stopped."""
        while not (done := await self.progress()).all:
            self.heard(done)
            await require_going(self.service.state.health, self.name)
            await asyncio.sleep(LOOK_SECONDS)
        self.heard(done)


async def rest(database: Database, mark: tuple[str, str] | None) -> None:
    """Whoever breaks off a rebuild leaves the service at rest, until a rebuild is done."""
    if mark:
        await database[mark[0]].update_one({"_id": mark[1]}, {"$set": {"since": datetime.now(UTC)}}, upsert=True)


async def act(database: Database, mark: tuple[str, str] | None) -> None:
    if mark:
        await database[mark[0]].delete_one({"_id": mark[1]})


async def retell(name: Name, settings: PlatformSettings, database: Databases) -> int:
    """Send all facts that are kept to the service's group."""
    producer, told = Producer("rebuild", settings), 0
    await producer.start()
    try:
        for group, sources in PROJECTIONS[name].groups.items():
            for source in sources:
                async for piece in source.read(database):
                    await producer.publish([record(again, group) for again in piece])
                    told += len(piece)
    finally:
        await producer.stop()
    return told


async def require_going(health: Health, name: Name) -> None:
    """A consumer stops by itself where it refuses too much in a row: waiting for it would never end."""
    _, report = await health.ready()
    if report["halted"]:
        raise Stopped(f"{name} has refused too many records in a row: see `rapport dead-letters list`")


async def at_rest(settings: PlatformSettings, projection: Projection, database: Database) -> None:
    """Raises NotDrained. What a rebuild that was broken off had still to tell, the next one tells: nobody else could."""
    rests = projection.rests
    again = rests is not None and await database[rests[0]].find_one({"_id": rests[1]}) is not None
    found = await untold_or_running(
        settings.kafka_bootstrap,
        settings.mongo_url,
        settings.namespace,
        groups=projection.groups,
        but_for=database.name if again else None,
    )
    if found:
        raise NotDrained("\n".join([*found, STOP_FIRST]))


async def forget(
    database: Database,
    group: str,
    collections: Sequence[str],
    consumer: AIOKafkaConsumer,
    places: Mapping[TopicPartition, int],
) -> None:
    """First the state, then the positions: broken off in between, the next try finds the same to do.

    Positions go to the given places, in our database and in Kafka. At the ends all that was told waits to be told again, and
    what an earlier try has told again is not taken twice; what was refused and sent back is in the history, and judged there.
    """
    for collection in collections:
        await database[collection].drop()
    for place, at in places.items():
        if at:
            moved = {"$set": {"next": at}, "$setOnInsert": {"sequences": {}}}
            await database["offsets"].update_one({"_id": position(group, place)}, moved, upsert=True)
        else:
            await database["offsets"].delete_one({"_id": position(group, place)})
    consumer.assign(list(places))
    # Paused and not unsubscribed: with nothing subscribed, aiokafka 0.14's `stop` may wait for its next look at the
    # cluster's metadata, five minutes later.
    consumer.pause(*places)
    await consumer.commit(dict(places))


async def progress(database: Database, groups: Sequence[Hearing], told: int) -> Done:
    """How much of what was told again is still to be taken, by the group that has the most left."""
    waiting = max([await left(database, group) for group in groups])
    return Done(told - waiting, told, await database["outbox"].count_documents({}))
