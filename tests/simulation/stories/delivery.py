"""Sync hears of orders, keeps the customers' views and delivers them to channels, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.sync.consumers import listen
from services.sync.handlers.channels import Channels
from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.tail import ByHeart, Tail
from services.sync.handlers.views import Views
from services.sync.handlers.webhooks import Pace, Post
from services.sync.jobs import jobs
from services.sync.store import ChannelStore, DeliveryStore, TreeStore, ViewStore
from shared.contracts.interactions import SALES, OrderPlaced
from shared.messaging import CloudEvent, Messaging
from shared.messaging.producer import partition_of
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.simulation.stories.chaos import Chaos
from tests.simulation.stories.delivered import Delivered
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.operator import SERVICE, Operator
from tests.simulation.stories.story import FAULTS_END, LONG_AGO, settled
from tests.simulation.world.node import Composed, Node
from tests.simulation.world.receivers import Receivers, SimulatedCourier
from tests.simulation.world.world import World

LEASE_SECONDS = 4.0
TIMEOUT = 1.5
POLL_SECONDS = 3.0
SCHEDULE = (0.3, 0.6, 1.0, 1.5, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0)
"""Seconds from one attempt to the next; longer than the faults last, so that nothing fails for good."""
FOREIGN = 0.04
TOLD_AGAIN = 0.15
TROUBLE = (0.5, 6.0)


class Delivery:
    """One service with one to three instances, one to three channels, and their operators."""

    def __init__(self, world: World) -> None:
        self.world = world
        chance = world.chance
        self.customers = [f"01890000-0000-7000-8000-{n:012x}" for n in range(chance.randint(1, 5))]
        self.channels = [f"channel-{n}" for n in range(chance.randint(1, 2))]
        self.orders: list[tuple[str, OrderPlaced]] = []
        self.receivers = Receivers(world)
        self._operator = Operator(world)
        self.delivered = Delivered(world, self.receivers)
        batch = chance.choice((3, 10, 100))
        self._pace = Pace(
            batch=batch,
            concurrency=chance.choice((1, 2, 8)),
            timeout=TIMEOUT,
            schedule=SCHEDULE,
            first_pause=0.3,
            longest_pause=2.0,
            settle=0.0 if batch == 3 else 1.0,
        )
        self._unsent = chance.randint(2, 22)
        self.nodes = [Node(world, SERVICE, f"sync-{n}", self._composed) for n in range(chance.choice((1, 2, 2, 3)))]
        self.chaos = Chaos(world, self.nodes)

    def _composed(self, settings: PlatformSettings, client: Client, database: Database) -> Composed:
        """As services/sync/main.py, but for HTTP."""
        messaging = Messaging(SERVICE, settings, client, database)
        views, deliveries, kept = ViewStore(database), DeliveryStore(database), ChannelStore(database)
        channels = Channels(kept, deliveries, views, self._now, allow_private=True)
        courier = SimulatedCourier(self.receivers, settings.instance, TIMEOUT, self.delivered.departs)
        tail = Tail(views, POLL_SECONDS)
        changes = ByHeart(tail, views)
        post = Post(channels, changes, deliveries, courier, tail, messaging.transact, self._now, self._pace)
        work = jobs(tail, Dispatch(deliveries, post, owner=settings.instance, lease_seconds=LEASE_SECONDS))
        listen(messaging, Views(views, TreeStore(database), self._now, tail).fold)
        return Composed(messaging, [views.prepare, deliveries.prepare, kept.prepare], work)

    def _now(self) -> datetime:
        return self.world.now

    # What happens

    async def told(self) -> None:
        self._operator.at_random(self.channels, self.customers)
        for node in self.nodes:
            node.start()
        self.chaos.at_random(FAULTS_END)
        self._receivers_fail()
        await self._tell()
        await self.world.loop.lag(max(0.0, FAULTS_END - self.world.loop.now))
        self.world.weather.clear_up()
        self.receivers.clear_up()
        self.chaos.cease()
        await settled(self.world, self._unsettled)

    async def _tell(self) -> None:
        chance, pace = self.world.chance, self.world.chance.choice((0.05, 0.4, 0.9))
        records: list[Any] = []
        for number in range(self._unsent):
            customer = chance.choice(self.customers)
            currency = "EUR" if chance.random() < FOREIGN and self._knows(customer) else "USD"
            order = placed(number, customer, currency)
            self.orders.append((customer, order))
            record = encoded(number, order)
            place = partition_of(customer.encode(), self.world.cluster.partitions)
            records.append((place, customer.encode(), *record))
            self.world.note("told:", order.order_id, customer[-2:], currency, f"to {place}")
            self.world.cluster.append(SALES.name, *records[-1])
            if chance.random() < TOLD_AGAIN:
                self.world.cluster.append(SALES.name, *chance.choice(records))
            await self.world.loop.lag(chance.uniform(0, pace))

    def _knows(self, customer: str) -> bool:
        return any(known == customer for known, _ in self.orders)

    def _receivers_fail(self) -> None:
        chance, loop, receivers = self.world.chance, self.world.loop, self.receivers
        for channel in self.channels:
            if chance.random() < 0.4:
                begins = chance.uniform(0, FAULTS_END)
                loop.outside_at(begins, receivers.down.add, channel)
                loop.outside_at(begins + chance.uniform(*TROUBLE), receivers.down.discard, channel)
            if chance.random() < 0.3:
                receivers.indigestible.add((channel, chance.choice(self.customers)))

    def _unsettled(self) -> Iterable[str]:
        engine, cluster = self.world.engine, self.world.cluster
        positions = engine.table(SERVICE, "offsets").documents
        for place, log in enumerate(cluster.topic(SALES.name)):
            position = positions.get(f"{SERVICE}:{SALES.name}:{place}", {"next": 0})["next"]
            if position < len(log):
                yield f"sync has only taken {position} of {len(log)} records of {SALES.name}:{place}"
        if engine.table(SERVICE, "outbox").documents:
            yield "sync has not told everything"
        yield from self.delivered.owed(self.channels)

    def wrong(self) -> list[Wrong]:
        return self.delivered.wrong(
            self.orders, self.channels, self._operator.asked, history_lost=self.chaos.history_lost
        )


def placed(number: int, customer: str, currency: str) -> OrderPlaced:
    return OrderPlaced(
        order_id=f"o{number}",
        customer_id=customer,
        channel="/channels/shop",
        ordered_at=LONG_AGO,
        currency=currency,
        total=Decimal(number) + Decimal("0.05"),
        lines=[],
    )


def encoded(number: int, order: OrderPlaced) -> tuple[bytes, list[tuple[str, bytes | None]]]:
    """Value and headers of the record in which interactions tells the order."""
    data = order.model_dump_json().encode()
    event = CloudEvent(
        order.order_id, "/rapport/interactions", OrderPlaced.TYPE, data, LONG_AGO, sequence=f"{number + 1:024x}"
    )
    return data, list(event.headers())
