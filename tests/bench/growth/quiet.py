"""Whether a platform has done all that it was told: every record consumed, every outbox empty, every channel served."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.routes import SERVICES
from shared.contracts import topics as contracts
from tests.bench.growth.people import Road, deeds, introductions
from tests.bench.growth.platform import Platform

LISTENS: dict[str, dict[str, tuple[str, ...]]] = {
    "contacts": {"contacts": ("crm.inbound",), "contacts-stages": ("crm.scores",)},
    "interactions": {
        "interactions": ("crm.inbound",),
        "interactions-dead-letters": ("crm.dead-letters",),
        "interactions-merges": ("crm.contacts",),
    },
    "scoring": {"scoring": ("crm.interactions", "crm.sales"), "scoring-merges": ("crm.contacts",)},
    "campaigns": {"campaigns": ("crm.contacts", "crm.interactions", "crm.sales", "crm.scores")},
    "sync": {"sync": ("crm.contacts", "crm.interactions", "crm.sales", "crm.scores", "crm.campaigns")},
}
"""Service -> consumer group -> topics, as the services' `consumers.py` have it."""
LOOK_SECONDS = 0.2
Ends = dict[tuple[str, int], int]


class NeverQuiet(Exception):
    """Something is still to be done after the time that it may take."""


class Watch:
    """Looks at the log's ends and at how far everybody is."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.consumer = AIOKafkaConsumer(bootstrap_servers=platform.bootstrap, enable_auto_commit=False)
        self.partitions: list[TopicPartition] = []

    async def __aenter__(self) -> Self:
        await self.consumer.start()
        names = [self.platform.namespace + topic.name for topic in contracts.ALL]
        # Subscribing would fetch the records too; only their ends are wanted.
        await self.consumer._client.set_topics(names)
        self.partitions = [
            TopicPartition(name, one) for name in names for one in self.consumer.partitions_for_topic(name) or ()
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.consumer.stop()

    async def quiet(self, within: float) -> float:
        """Wait until nothing is left to do; the monotonic moment at which that was seen."""
        deadline = time.monotonic() + within
        while left := await self.left():
            if time.monotonic() > deadline:
                raise NeverQuiet(f"after {within:.0f} s there is still something to do: {left}")
            await asyncio.sleep(LOOK_SECONDS)
        return time.monotonic()

    async def left(self) -> dict[str, int]:
        """What is still to be done, by place; empty when the log did not grow while we looked either."""
        ends = await self.ends()
        found: dict[str, int] = {}
        for service in SERVICES:
            database = self.platform.database(service)
            found[f"{service}'s records"] = await self._behind(service, ends)
            found[f"{service}'s outbox"] = await database["outbox"].count_documents({})
        found["deliveries"] = await self._undelivered()
        # Whoever tells something has it in the outbox until Kafka has it, so nothing can be on its way in between.
        found["new records"] = sum((await self.ends()).values()) - sum(ends.values())
        return {place: count for place, count in found.items() if count}

    async def ends(self) -> Ends:
        found = await self.consumer.end_offsets(self.partitions)
        return {(one.topic[len(self.platform.namespace) :], one.partition): end for one, end in found.items()}

    async def _behind(self, service: str, ends: Ends) -> int:
        places = await self.platform.database(service)["offsets"].find({}).to_list(None)
        reached = {place["_id"]: int(place["next"]) for place in places}
        behind = 0
        for group, topics in LISTENS[service].items():
            for (topic, partition), end in ends.items():
                if topic in topics:
                    behind += max(0, end - reached.get(f"{group}:{self.platform.namespace}{topic}:{partition}", 0))
        return behind

    async def _undelivered(self) -> int:
        """Changes that active channels have not been told of, by positions."""
        database = self.platform.database("sync")
        tails = {str(d["_id"]): d["position"] for d in await database["positions"].find({}).to_list(None)}
        active = [d["_id"] async for d in database["channels"].find({"state": "active"}, {"_id": 1})]
        behind = 0
        async for progress in database["progress"].find({"_id": {"$in": active}}):
            cursor: dict[str, Any] = progress.get("cursor", {})
            behind += sum(max(0, tail - cursor.get(partition, 0)) for partition, tail in tails.items())
        return behind


async def settle(platform: Platform, road: Road, watch: Watch, numbers: Sequence[int]) -> None:
    """Make these customers by events. First who they are: else shop and till would each register one of their own."""
    within = 60 + len(numbers) / 20
    await road.send(introductions(numbers))
    await watch.quiet(within)
    await road.send(deeds(numbers))
    await watch.quiet(within)
    count = await platform.database("sync")["views"].count_documents({})
    if count != len(numbers):
        raise NeverQuiet(f"{count} views of {len(numbers)} customers")
