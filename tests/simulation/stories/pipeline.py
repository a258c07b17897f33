"""Channels report, one service records and tells, another folds what it is told; poison is set aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pymongo import InsertOne, UpdateOne

from shared.contracts.channels import INBOUND, InteractionReported
from shared.contracts.fact import Reason
from shared.contracts.interactions import INTERACTIONS, InteractionRecorded
from shared.messaging import CloudEvent, Messaging, Received, Subscription, Transient, Unit, duplicates
from shared.messaging.producer import partition_of
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.simulation.stories.chaos import Chaos
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.judgement import Judge
from tests.simulation.stories.story import FAULTS_END, LONG_AGO, settled
from tests.simulation.world.node import Compose, Composed, Node
from tests.simulation.world.world import World

SOURCE = "/channels/shop"
SENT_AGAIN = 0.15
ODD = {"garbage": 0.03, "unknown": 0.02, "unfit": 0.05, "poison": 0.04, "late-poison": 0.03}
"""How often a report is one that cannot be read, has no contract, is refused, or makes a handler fail: the first
service's, or only the second's."""


class Poison(Exception):
    """An error that no rule of the core knows."""


@dataclass(frozen=True)
class Report:
    """What a channel sends."""

    id: str
    customer: str
    kind: str


class Pipeline:
    """Two services with two or three instances each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.reports: list[Report] = []
        chance = world.chance
        self._customers = [f"01890000-0000-7000-8000-{n:012x}" for n in range(chance.randint(1, 6))]
        self._unsent = [self._drawn(number) for number in range(chance.randint(3, 32))]
        self.nodes = [
            Node(world, service, f"{service}-{n}", composing(service, subscription))
            for service, subscription in (("first", self._first()), ("second", self._second()))
            for n in range(chance.choice((1, 2, 2, 3)))
        ]
        self.chaos = Chaos(world, self.nodes)

    def _drawn(self, number: int) -> Report:
        draw = self.world.chance.random()
        kind = "call"
        for odd, share in ODD.items():
            if 0 <= draw < share:
                kind = odd
            draw -= share
        return Report(f"e{number}", self.world.chance.choice(self._customers), kind)

    # The services

    def _first(self) -> Subscription:
        return Subscription("first", (INBOUND,), self._record)

    def _second(self) -> Subscription:
        return Subscription("second", (INTERACTIONS,), self._fold)

    async def _record(self, unit: Unit, events: Sequence[Received]) -> None:
        self.world.note("records", *(event.id for event in events))
        fresh, _ = await duplicates.fresh(unit, events)
        self._stumble(fresh, "poison")
        fit = [event for event in fresh if event.fact.kind != "unfit"]
        for event in fresh:
            if event.fact.kind == "unfit":
                unit.reject(event, Reason.INVALID_DATA, "it does not fit")
        await self._remember(unit, [(event.subject, event.id) for event in fit])
        for event in fit:
            unit.publish(INTERACTIONS, told(event), key=event.subject, cause=event)

    async def _fold(self, unit: Unit, events: Sequence[Received]) -> None:
        self.world.note("folds", *(event.fact.interaction_id for event in events))
        self._stumble(events, "late-poison")
        await self._remember(unit, [(event.subject, event.fact.interaction_id) for event in events])

    def _stumble(self, events: Sequence[Received], kind: str) -> None:
        if self.world.weather.strikes("handler.transient"):
            raise Transient("what it needs is away")
        if any(event.fact.kind == kind for event in events):
            raise Poison

    async def _remember(self, unit: Unit, met: Sequence[tuple[str, str]]) -> None:
        """A read, a fold and a write: a lost, doubled or swapped event would show in it."""
        histories: Any = unit.database["histories"]
        customers = sorted({customer for customer, _ in met})
        found = histories.find({"_id": {"$in": customers}}, session=unit.session)
        known = {document["_id"]: document["events"] async for document in found}
        after = {customer: [*known.get(customer, []), *(e for c, e in met if c == customer)] for customer in customers}
        writes = [
            UpdateOne({"_id": customer}, {"$set": {"events": events}})
            if customer in known
            else InsertOne({"_id": customer, "events": events})
            for customer, events in after.items()
        ]
        if writes:
            await histories.bulk_write(writes, session=unit.session)

    # What happens

    async def told(self) -> None:
        for node in self.nodes:
            node.start()
        self.chaos.at_random(FAULTS_END)
        await self._report()
        await self.world.loop.lag(max(0.0, FAULTS_END - self.world.loop.now))
        self.world.weather.clear_up()
        self.chaos.cease()
        await settled(self.world, self._unsettled)

    async def _report(self) -> None:
        chance, pace = self.world.chance, self.world.chance.choice((0.02, 0.3, 0.7))
        while self._unsent:
            self._send(self._unsent.pop(0))
            if chance.random() < SENT_AGAIN:
                self._send(chance.choice(self.reports))
            if chance.random() < 0.5:
                await self.world.loop.lag(chance.uniform(0, pace))

    def _send(self, report: Report) -> None:
        key = report.customer.encode()
        value, headers = encoded(report)
        place = partition_of(key, self.world.cluster.partitions)
        self.reports.append(report)
        self.world.note("reported:", report.id, report.kind, f"to {place}")
        self.world.cluster.append(INBOUND.name, place, key, value, headers)

    def _unsettled(self) -> Iterable[str]:
        engine, cluster = self.world.engine, self.world.cluster
        for service, topic in (("first", INBOUND.name), ("second", INTERACTIONS.name)):
            positions = engine.table(service, "offsets").documents
            for place, log in enumerate(cluster.topic(topic)):
                position = positions.get(f"{service}:{topic}:{place}", {"next": 0})["next"]
                if position < len(log):
                    yield f"{service} has only taken {position} of {len(log)} records of {topic}:{place}"
            if engine.table(service, "outbox").documents:
                yield f"{service} has not told everything"

    def wrong(self) -> list[Wrong]:
        return Judge(self.world, self.reports, history_lost=self.chaos.history_lost).wrong()


def composing(service: str, subscription: Subscription) -> Compose:
    def compose(settings: PlatformSettings, client: Client, database: Database) -> Composed:
        messaging = Messaging(service, settings, client, database)
        messaging.listen(subscription)
        return Composed(messaging)

    return compose


def told(event: Received) -> InteractionRecorded:
    fact: InteractionReported = event.fact
    return InteractionRecorded(
        interaction_id=event.id,
        customer_id=event.subject,
        channel=event.source,
        kind=fact.kind,
        occurred_at=fact.occurred_at,
    )


def encoded(report: Report) -> tuple[bytes, list[tuple[str, bytes | None]]]:
    """Value and headers of a report's record."""
    data = orjson.dumps(
        {
            "customer": [{"scheme": "card", "value": report.customer[-4:]}],
            "kind": report.kind,
            "occurred_at": LONG_AGO.isoformat(),
        }
    )
    value = b"{" if report.kind == "garbage" else data
    type_ = "crm.nothing.known.v1" if report.kind == "unknown" else InteractionReported.TYPE
    return value, list(CloudEvent(report.id, SOURCE, type_, value, LONG_AGO).headers())
