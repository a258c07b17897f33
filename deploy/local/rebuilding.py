"""Makes a service's state anew from what the others keep, with the service's own code in this process and nobody else's
at work (`docs/decisions/0030-the-log-forgets.md`).

What follows from facts is forgotten, and the facts are told again to this service alone (`retelling`); what was decided over
HTTP (campaigns, segments) follows from no fact and stays. Campaigns draws nobody and hands nobody over until all is taken again: what
profiles say by then, and what not, would decide who is contacted.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient

from deploy.local.drained import NotDrained, untold_or_running
from deploy.local.errors import CannotStart
from deploy.local.retelling import (
    EVERYBODY,
    HISTORY,
    MERGES,
    NEWEST_SCORES,
    OPEN_ERASURES,
    Database,
    Databases,
    Source,
    merged,
    record,
)
from services.campaigns.store.campaigns import REBUILDING
from shared.contracts.topics import REPLAYS
from shared.http.app import Health
from shared.links import COLLECTION as LINKS
from shared.messaging.producer import Producer
from shared.settings import PlatformSettings

LOOK_SECONDS = 0.2
Name = Literal["scoring", "campaigns"]


class Stopped(CannotStart):
    """The rebuild cannot go on by itself."""


@dataclass(frozen=True)
class Projection:
    """What makes a service's state, by the consumer group that hears it, and which collections hold it.

    Links between customers, which every such service keeps, are not only told again: see `link`.
    """

    groups: Mapping[str, Sequence[Source]]
    collections: tuple[str, ...]
    rests: tuple[str, str] | None = None
    """Where the service reads that it is not to act on its state: a collection, and the id of a document."""


PROJECTIONS: dict[Name, Projection] = {
    "scoring": Projection(
        {"scoring": (HISTORY,), "scoring-merges": (MERGES,)}, ("customers", "moves", "population", "deeds")
    ),
    "campaigns": Projection(
        {"campaigns": (OPEN_ERASURES, EVERYBODY, HISTORY, NEWEST_SCORES)},
        ("profiles", "orders"),
        rests=("moved", REBUILDING),
    ),
}


class Hearing(NamedTuple):
    """Of a consumer group: who asks for the log's ends, and the partitions."""

    name: str
    consumer: AIOKafkaConsumer
    partitions: list[TopicPartition]


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
    tell: a fact that is told meanwhile would be taken twice, or not at all.
    """
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(AsyncMongoClient[dict[str, Any]](settings.mongo_url, tz_aware=True))

        def database(service: str) -> Database:
            return mongo[f"{settings.namespace}rapport_{service}"]

        groups = [
            await stack.enter_async_context(hearing(group, sources, settings))
            for group, sources in PROJECTIONS[name].groups.items()
        ]
        await at_rest(settings)
        await rest(database(name), PROJECTIONS[name].rests)
        for group in groups:
            ends = await group.consumer.end_offsets(group.partitions)
            await forget(database(name), group.name, PROJECTIONS[name].collections, group.consumer, ends)
        await link(database(name), database)
        told = await retell(name, settings, database)
        service = importlib.import_module(f"services.{name}.main").create()
        async with service.router.lifespan_context(service):
            while not (done := await progress(database(name), groups, told)).all:
                heard(done)
                await require_going(service.state.health, name)
                await asyncio.sleep(LOOK_SECONDS)
        heard(done)
        await act(database(name), PROJECTIONS[name].rests)
        return told


async def rest(database: Database, mark: tuple[str, str] | None) -> None:
    """Whoever breaks off a rebuild leaves the service at rest, until a rebuild is done."""
    if mark:
        await database[mark[0]].update_one({"_id": mark[1]}, {"$set": {"since": datetime.now(UTC)}}, upsert=True)


async def act(database: Database, mark: tuple[str, str] | None) -> None:
    if mark:
        await database[mark[0]].delete_one({"_id": mark[1]})


async def link(database: Database, databases: Databases) -> None:
    """Say beforehand who is one with whom, as of no turn, so that what is told again is news and yet meets every tree whole.

    Else customers of an open campaign would be told, for a moment, to be contacted again who are held out with another one
    of whom nothing has been heard yet (`docs/decisions/0037-a-person-drawn-twice.md`).
    """
    links = database[LINKS]
    await links.delete_many({})
    async for piece in merged(databases):
        await links.insert_many([{"_id": one.absorbed, "into": one.survivor, "turn": 0} for one in piece])


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


async def at_rest(settings: PlatformSettings) -> None:
    """Raises NotDrained."""
    if found := await untold_or_running(settings.kafka_bootstrap, settings.mongo_url, settings.namespace):
        raise NotDrained("\n".join(found))


@asynccontextmanager
async def hearing(group: str, sources: Sequence[Source], settings: PlatformSettings) -> AsyncIterator[Hearing]:
    told_on = [topic for source in sources for topic in source.topics]
    topics = [settings.namespace + topic.name for topic in (*told_on, REPLAYS)]
    async with reader(settings.kafka_bootstrap, settings.namespace + group) as consumer:
        yield Hearing(group, consumer, await partitions_of(consumer, topics))


@asynccontextmanager
async def reader(bootstrap: str, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Looks at the log's ends, and commits in the name of a group that nobody is in."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, topics: list[str]) -> list[TopicPartition]:
    # Subscribing would join the group.
    await consumer._client.set_topics(topics)  # noqa: SLF001
    return [TopicPartition(topic, n) for topic in topics for n in sorted(consumer.partitions_for_topic(topic) or ())]


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


async def left(database: Database, group: Hearing) -> int:
    """Records that the group has not taken: each group reads past what was told to the others."""
    names = [position(group.name, place) for place in group.partitions]
    taken: int = sum(
        [document["next"] async for document in database["offsets"].find({"_id": {"$in": names}}, {"next": 1})]
    )
    ends: Mapping[TopicPartition, int] = await group.consumer.end_offsets(group.partitions)
    return sum(ends.values()) - taken


def position(group: str, place: TopicPartition) -> str:
    """The guarded offset's document."""
    return f"{group}:{place.topic}:{place.partition}"
