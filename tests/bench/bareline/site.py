"""Servers, the five processes of the bare line, and the two receivers: what trials are played on instead of the platform."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from deploy.local import servers
from deploy.local.layout import Layout
from tests.bench.bareline.hop import POSITIONS, Document, Manner, Mongo, position
from tests.bench.bareline.services import NAMES, Interactions, Scoring, Sync
from tests.bench.bareline.wire import PARTITIONS, TOPICS, secrets
from tests.bench.floor.bare import bare, used
from tests.bench.section import Stage
from tests.bench.trial.arena import STARTS_WITHIN, Trials
from tests.bench.trial.ground import RECEIVER_PORT, Refused, require_free
from tests.bench.trial.talker import Talker


@dataclass
class Site:
    """Where the load goes, and what stands there."""

    layout: Layout
    kafka: str
    mongo: Mongo
    asking: AIOKafkaConsumer
    services: Mapping[str, Talker]
    admin_key: str = ""

    def url(self, service: str) -> str:
        """Nobody answers HTTP here."""
        return ""

    def cpu(self) -> dict[str, float]:
        own = {name: talker.cpu for name, talker in self.services.items()}
        return own | {name: used(self.layout, (name,)) for name in servers.NAMES}

    def memory_mb(self) -> dict[str, int]:
        return {}

    async def lag(self) -> int:
        """By the positions of all services."""
        places = [TopicPartition(topic, number) for topic in TOPICS for number in range(PARTITIONS)]
        ends = {position(place): end for place, end in (await self.asking.end_offsets(places)).items()}
        waiting = 0
        for name in NAMES:
            async for heard in self.mongo[name][POSITIONS].find({}):
                waiting += ends[heard["_id"]] - heard["next"]
        return waiting

    async def check(self, orders: int, total: Decimal) -> None:
        """Every order once in the history, in the customers' states and in the views; money is not decoded here."""
        held = {
            "history": await self.mongo[Interactions.name]["history"].count_documents({"kind": "sale"}),
            "states": await self._sum(Scoring.name, "customers", "purchases"),
            "views": await self._sum(Sync.name, "views", "orders"),
        }
        if set(held.values()) != {orders}:
            raise Refused(f"the bare line holds {held}, and not {orders:,} orders")

    async def _sum(self, database: str, collection: str, field: str) -> int:
        pipeline: list[Document] = [{"$group": {"_id": None, "sum": {"$sum": f"${field}"}}}]
        found = await (await self.mongo[database][collection].aggregate(pipeline)).to_list(None)
        return int(found[0]["sum"]) if found else 0

    def batches(self) -> dict[str, tuple[int, int]]:
        """Of each service, how many batches of how many records in all so far."""
        told = {name: talker.said for name, talker in self.services.items()}
        return {name: (said.get("batches", 0), said.get("records", 0)) for name, said in told.items()}


class Line(Trials):
    """Trials of the bare line."""

    def __init__(self, site: Site, receivers: Talker, file: Path) -> None:
        super().__init__(site, receivers, file)
        self.site = site

    async def _delivered(self, goal: int, within: float) -> None:
        """A service that has died delivers nothing any more."""
        waiting: list[asyncio.Task[Any]] = [asyncio.create_task(super()._delivered(goal, within))]
        waiting += [asyncio.create_task(one.until(never, 2 * within, "its end")) for one in self.site.services.values()]
        done, rest = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        for task in done:
            task.result()


def never(_: dict[str, Any]) -> bool:
    return False


@asynccontextmanager
async def line(stage: Stage, manner: Manner) -> AsyncIterator[Line]:
    """Fresh servers, and the line on them with both channels listening."""
    stage.place.mkdir(parents=True, exist_ok=True)
    receiver_port = stage.port_base + RECEIVER_PORT
    require_free(receiver_port)
    async with bare(stage) as (found, layout), AsyncExitStack() as stack:
        kafka, mongo_url, stream_port = found.kafka.url, found.mongo.url, layout.ports[Sync.name]
        await create_topics(kafka)
        mongo: Mongo = await stack.enter_async_context(AsyncMongoClient[Document](mongo_url))
        asking = await stack.enter_async_context(AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False))
        where = ("--kafka", kafka, "--mongo", mongo_url)
        ports = ("--webhook-port", str(receiver_port), "--stream-port", str(stream_port))
        services: dict[str, Talker] = {}
        for name in NAMES:
            arguments = ("--service", name, *where, *ports, "--manner", json.dumps(asdict(manner)))
            talker = Talker("tests.bench.bareline.process", arguments, {})
            services[name] = await stack.enter_async_context(talker)
        for name, talker in services.items():
            await talker.until(lambda said: "ready" in said, STARTS_WITHIN, f"readiness of {name}")
        file = stage.place / "arrivals.bin"
        told = ("--port", str(receiver_port), "--stream", f"http://127.0.0.1:{stream_port}/", "--file", str(file))
        receivers = Talker("tests.bench.trial.receivers", told, secrets())
        await stack.enter_async_context(receivers)
        await receivers.until(lambda said: "events" in said, STARTS_WITHIN, "readiness")
        yield Line(Site(layout, kafka, mongo, asking, services), receivers, file)


async def create_topics(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1) for topic in TOPICS])
    finally:
        await admin.close()
