"""Makes a service's state anew from the log, with the service's own code in this process and nobody else's at work.

What follows from topics that are kept for ever is forgotten; what was decided over HTTP (campaigns, segments) follows
from no log and stays.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from deploy.local.drained import NotDrained, running
from deploy.local.errors import CannotStart
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import INTERACTIONS, SALES
from shared.contracts.scoring import SCORES
from shared.http.app import Health
from shared.settings import PlatformSettings

LOOK_SECONDS = 0.2
Name = Literal["scoring", "campaigns"]
Database = Any


class Stopped(CannotStart):
    """The rebuild cannot go on by itself."""


@dataclass(frozen=True)
class Projection:
    """Which topics make a service's state, and which collections hold it. The consumer group has the service's name."""

    topics: tuple[str, ...]
    collections: tuple[str, ...]


PROJECTIONS: dict[Name, Projection] = {
    "scoring": Projection((SALES.name, INTERACTIONS.name), ("customers", "moves", "population", "deeds")),
    "campaigns": Projection((CONTACTS.name, INTERACTIONS.name, SALES.name, SCORES.name), ("profiles", "orders")),
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
    """Forget, and take all records again; how many those were. Raises NotDrained while the service runs."""
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(AsyncMongoClient[dict[str, Any]](settings.mongo_url))
        database = mongo[f"{settings.namespace}rapport_{name}"]
        consumer = await stack.enter_async_context(reader(settings.kafka_bootstrap, settings.namespace + name))
        partitions = await partitions_of(consumer, [settings.namespace + topic for topic in PROJECTIONS[name].topics])
        await alone(settings, name)
        await forget(database, name, PROJECTIONS[name].collections, consumer, partitions)
        service = importlib.import_module(f"services.{name}.main").create()
        async with service.router.lifespan_context(service):
            while not (done := await progress(database, name, consumer, partitions)).all:
                heard(done)
                await require_going(service.state.health, name)
                await asyncio.sleep(LOOK_SECONDS)
        heard(done)
        return done.of


async def require_going(health: Health, name: Name) -> None:
    """A consumer stops by itself where it refuses too much in a row: waiting for it would never end."""
    _, report = await health.ready()
    if report["halted"]:
        raise Stopped(f"{name} has refused too many records in a row: see `rapport dead-letters list`")


async def alone(settings: PlatformSettings, name: Name) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        if found := await running(admin, [settings.namespace + name]):
            raise NotDrained("\n".join(found))
    finally:
        await admin.close()


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
    partitions: list[TopicPartition],
) -> None:
    """First the state, then the positions: broken off in between, the next try finds the same to do.

    The position in `crm.replays` stays: what was refused and sent back is in its own topic too, and is judged there.
    Positions in Kafka go back as well: the guarded ones alone would do, but only once a new record of each partition
    has shown that there is a gap.
    """
    for collection in collections:
        await database[collection].drop()
    await database["offsets"].delete_many({"_id": {"$in": positions(group, partitions)}})
    consumer.assign(partitions)
    # Paused and not unsubscribed: with nothing subscribed, aiokafka 0.14's `stop` may wait for its next look at the
    # cluster's metadata, five minutes later.
    consumer.pause(*partitions)
    await consumer.commit(dict.fromkeys(partitions, 0))


async def progress(
    database: Database, name: Name, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
) -> Done:
    found = database["offsets"].find({"_id": {"$in": positions(name, partitions)}}, {"next": 1})
    taken = sum([document["next"] async for document in found])
    ends = await consumer.end_offsets(partitions)
    return Done(taken, sum(ends.values()), await database["outbox"].count_documents({}))


def positions(group: str, partitions: list[TopicPartition]) -> list[str]:
    """The guarded offsets' documents."""
    return [f"{group}:{one.topic}:{one.partition}" for one in partitions]
