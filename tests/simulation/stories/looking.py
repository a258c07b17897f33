"""What contacts sees when it looks through a simulated log: a broker that compacts at once whatever it may, and the ledger of
erasures as the receipts on `crm.erasures` make it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from services.contacts.domain.erasure import SERVICES, Erasure, begun, receipted
from shared.contracts.erasures import ERASURES, ErasureDone
from shared.contracts.fact import Topic
from shared.messaging.ages import Named
from tests.simulation.stories.judgement import text
from tests.simulation.stories.registry import Registry
from tests.simulation.world.kafka.cluster import Cluster
from tests.simulation.world.world import World

LOG_LOOK_SECONDS = 1.0
FETCH = (0.001, 0.05)
HERE = ("sync", "campaigns")
"""The services that take part; all others have nothing of anybody."""


class SimulatedLog:
    """What of `shared.messaging.ages.Log` is used. The two weeks after which a topic forgets are over when nothing that was
    ever sent is still under way.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    async def older(self, topics: Sequence[Topic], moment: datetime) -> list[str]:
        await self._world.loop.lag(self._world.chance.uniform(*FETCH))
        return [topics[0].name] if self._world.cluster.under_way else []

    async def named(self, topic: Topic, keys: Collection[str]) -> Named:
        await self._world.loop.lag(self._world.chance.uniform(*FETCH))
        last = {record.key: record.value for log in self._world.cluster.topic(topic.name) for record in log}
        uncovered = {key for key in keys if last.get(key.encode()) is not None}
        return Named(uncovered, uncovered)


class Files:
    """Nobody has imported any."""

    async def older(self, moment: datetime) -> list[str]:
        return []


class Ledger:
    """Erasures that some place has not receipted yet."""

    def __init__(self, world: World, registry: Registry) -> None:
        self._world = world
        self._registry = registry

    async def unfinished(self) -> AsyncIterator[Erasure]:
        told = receipts(self._world.cluster)
        for erasure_id in sorted(set(self._registry.erased.values())):
            erasure = self._erasure(erasure_id)
            for fact in told.get(erasure_id, {}).values():
                erasure = receipted(erasure, fact)
            if erasure.open_places:
                yield erasure

    def _erasure(self, erasure_id: str) -> Erasure:
        customers = tuple(one for one, erasure in self._registry.erased.items() if erasure == erasure_id)
        now = self._world.now
        deadline = now + timedelta(days=30)
        erasure = begun(Erasure(erasure_id, customers, "objection", "customer", None, "/keys/k", now, deadline))
        for place in SERVICES:
            if place not in HERE:
                erasure = receipted(erasure, ErasureDone(erasure_id=erasure_id, place=place, at=now))
        return erasure


def receipts(cluster: Cluster) -> Mapping[str, Mapping[str, ErasureDone]]:
    """By erasure and place."""
    found: dict[str, dict[str, ErasureDone]] = {}
    for log in cluster.topic(ERASURES.name):
        for record in log:
            if text(record, "ce_type") == ErasureDone.TYPE:
                fact = ErasureDone.model_validate(orjson.loads(record.value or b""))
                found.setdefault(fact.erasure_id, {}).setdefault(fact.place, fact)
    return found
