"""How long it takes after a fault until what was hurt works again, judged by what has had its effect in the database.

A service works again when each partition that has something for it has moved on: not only those of the instances that
were spared. A channel works again when its cursor has moved on. So recovery can only be seen while there is a load.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from tests.torture.faults.fault import Fault
from tests.torture.faults.stage import Stage

WITHIN = 240.0
LOOK_SECONDS = 0.1
QUIET_SECONDS = 10.0
"""Where nothing waits and nothing has come for so long, there is no load any more, and nothing left to recover."""
Places = dict[str, int]
"""Where -> how far."""


class NotRecovered(Exception):
    """Something has still not moved on."""


async def recovered(stage: Stage, fault: Fault, within: float = WITHIN) -> float:
    """Seconds from the fault's end (or the kill) until all that it hurt has moved on. Raises NotRecovered."""
    async with Watch(stage, fault) as watch:
        before = await watch.looked()
        quiet_since: float | None = None
        while True:
            now = time.monotonic()
            seen = await watch.looked()
            standing = seen.waiting(before)
            if not standing and seen.moved(before):
                return now - fault.over
            quiet_since = None if standing else quiet_since or now
            if quiet_since and now - quiet_since > QUIET_SECONDS:
                return quiet_since - fault.over
            if now - fault.over > within:
                raise NotRecovered(f"{fault.kind}: {fault.target}: after {within:.0f} s {standing or 'nothing'} waits")
            await asyncio.sleep(LOOK_SECONDS)


class Sight:
    """How far everything is at one moment, and how far it could be."""

    def __init__(self, done: Places, ends: Mapping[str, int]) -> None:
        self.done = done
        self.ends = ends

    def waiting(self, before: Sight) -> list[str]:
        """Where something is to be done and nothing has been done since."""
        return sorted(
            place
            for place, end in self.ends.items()
            if end > self.done.get(place, 0) and self.done.get(place, 0) <= before.done.get(place, 0)
        )

    def moved(self, before: Sight) -> bool:
        return any(done > before.done.get(place, 0) for place, done in self.done.items())


class Watch:
    """Looks past all links: at the positions in the services' databases, and at the ends of the topics."""

    def __init__(self, stage: Stage, fault: Fault) -> None:
        self._stage = stage
        self._services = [name for name in fault.hurt if not name.startswith("channel:")]
        self._channels = [name.removeprefix("channel:") for name in fault.hurt if name.startswith("channel:")]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        options: dict[str, Any] = {"serverSelectionTimeoutMS": 2000, "timeoutMS": 5000}
        client = AsyncMongoClient[dict[str, Any]](self._stage.mongo, **options)
        self._mongo = await self._stack.enter_async_context(client)
        self._consumer = await self._connected()
        self._stack.push_async_callback(self._consumer.stop)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _connected(self) -> AIOKafkaConsumer:
        while True:
            consumer = AIOKafkaConsumer(bootstrap_servers=self._stage.kafka, request_timeout_ms=5000)
            try:
                await consumer.start()
            except (KafkaError, OSError):
                await consumer.stop()
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return consumer

    async def looked(self) -> Sight:
        """As soon as both servers answer."""
        while True:
            try:
                async with asyncio.timeout(10):
                    return await self._look()
            except (PyMongoError, KafkaError, OSError, TimeoutError):
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> Sight:
        done: Places = {}
        ends: dict[str, int] = {}
        for service in self._services:
            await self._consumption(service, done, ends)
        for channel in self._channels:
            await self._deliveries(channel, done, ends)
        return Sight(done, ends)

    async def _consumption(self, service: str, done: Places, ends: dict[str, int]) -> None:
        found = {d["_id"]: int(d["next"]) async for d in self._database(service)["offsets"].find()}
        topics = {name: self._partition(name) for name in found}
        reached = await self._consumer.end_offsets(sorted(set(topics.values())))
        done |= found
        ends |= {name: reached[partition] for name, partition in topics.items()}

    async def _deliveries(self, channel: str, done: Places, ends: dict[str, int]) -> None:
        sync = self._database("sync")
        progress = await sync["progress"].find_one({"_id": channel}) or {}
        cursor = progress.get("cursor", {})
        async for tail in sync["positions"].find():
            place = f"{channel}:{tail['_id']}"
            done[place], ends[place] = int(cursor.get(str(tail["_id"]), 0)), int(tail["position"])

    def _database(self, service: str) -> Any:
        return self._mongo[f"{self._stage.namespace}rapport_{service}"]

    @staticmethod
    def _partition(name: str) -> TopicPartition:
        """Of a position's name, `group:topic:partition`."""
        _, topic, partition = name.rsplit(":", 2)
        return TopicPartition(topic, int(partition))
