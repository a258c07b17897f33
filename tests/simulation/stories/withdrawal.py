"""Customers are erased while sync delivers them to webhooks: whoever has got anything of them is told, and gives its receipt,
whatever fails on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from services.sync.consumers import listen
from services.sync.handlers.channels import Channels
from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.erasing import ChannelErasures
from services.sync.handlers.tail import ByHeart, Tail
from services.sync.handlers.views import Views
from services.sync.handlers.webhooks import Pace, Post
from services.sync.jobs import jobs
from services.sync.store import ChannelStore, DeliveryStore, TreeStore, ViewStore
from services.sync.store.erasing import steps
from services.sync.store.owing import COLLECTION, OwedStore
from shared.contracts.contacts import CONTACTS
from shared.contracts.interactions import SALES, OrderPlaced
from shared.erasing import Erasing, Terms
from shared.messaging import Messaging
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.simulation.stories.chaos import Chaos
from tests.simulation.stories.delivered import Delivered
from tests.simulation.stories.delivery import LEASE_SECONDS, POLL_SECONDS, SCHEDULE, TIMEOUT, TROUBLE
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.operator import SERVICE, Operator
from tests.simulation.stories.registry import Registry
from tests.simulation.stories.story import FAULTS_END, LONG_AGO, settled
from tests.simulation.stories.withdrawn import Withdrawn
from tests.simulation.world.mongo.engine import LIFETIME_SECONDS
from tests.simulation.world.node import Composed, Node
from tests.simulation.world.receivers import Parcel, Receivers, SimulatedCourier
from tests.simulation.world.world import World

AMBUSHED = 0.5
"""How many of the runs kill somebody between what a receiver takes and what is put down of it."""
SOON = (0.0, 2.0)
TERMS = Terms(timedelta(seconds=LIFETIME_SECONDS + 2))


class Withdrawal:
    """One service with one to three instances, one or two channels, and customers who come and are erased."""

    def __init__(self, world: World) -> None:
        self.world = world
        chance = world.chance
        self.channels = [f"channel-{n}" for n in range(chance.randint(1, 2))]
        self.registry = Registry(world, [f"01890000-0000-7000-8000-{n:012x}" for n in range(chance.randint(2, 6))])
        self.receivers = Receivers(world)
        self.delivered = Delivered(world, self.receivers)
        self._operator = Operator(world)
        self._ambush = chance.random() < AMBUSHED
        # Where a lease outlives a killed sender for long, the erasure is looked at twice before anybody delivers again.
        self._lease_seconds = chance.choice((LEASE_SECONDS, 4 * LEASE_SECONDS))
        self._events = chance.randint(4, 20)
        self._pace = Pace(
            batch=chance.choice((3, 10, 100)),
            concurrency=chance.choice((1, 2, 8)),
            timeout=TIMEOUT,
            schedule=SCHEDULE,
            first_pause=0.3,
            longest_pause=2.0,
            ahead=chance.choice((0, 1, 4, 100)),
        )
        self.nodes = [Node(world, SERVICE, f"sync-{n}", self._composed) for n in range(chance.choice((1, 2, 2, 3)))]
        self.chaos = Chaos(world, self.nodes)

    def _composed(self, settings: PlatformSettings, client: Client, database: Database) -> Composed:
        """As services/sync/main.py, but for HTTP."""
        messaging = Messaging(SERVICE, settings, client, database)
        views, trees, deliveries = ViewStore(database), TreeStore(database), DeliveryStore(database)
        kept, debts = ChannelStore(database), OwedStore(database)
        channels = Channels(kept, deliveries, views, self._now, allow_private=True)
        courier = SimulatedCourier(self.receivers, settings.instance, TIMEOUT, self.delivered.departs)
        tail = Tail(views, POLL_SECONDS)
        changes = ByHeart(tail, views)
        post = Post(channels, changes, deliveries, courier, tail, messaging.transact, self._now, self._pace)
        dispatch = Dispatch(deliveries, post, owner=settings.instance, lease_seconds=self._lease_seconds)
        folding = Views(views, trees, self._now, tail)
        removed = steps(views, deliveries, self._now)
        erasing = Erasing(SERVICE, database, messaging, removed, TERMS, forget=folding.forget)
        told = ChannelErasures(debts, deliveries, channels.kind_of, messaging.transact, self._now)
        listen(messaging, erasing.beside(folding.fold))
        parts = (views, trees, deliveries, kept, erasing, debts)
        return Composed(
            messaging, [part.prepare for part in parts], [*jobs(tail, dispatch), erasing.carry_out, told.follow]
        )

    def _now(self) -> datetime:
        return self.world.now

    # What happens

    async def told(self) -> None:
        self._operator.at_random(self.channels, self.registry.customers)
        for node in self.nodes:
            node.start()
        self.chaos.at_random(FAULTS_END)
        self._receivers_fail()
        self.receivers.watch = self._taken
        chance, pace = self.world.chance, self.world.chance.choice((0.1, 0.4, 0.9))
        kinds: list[Callable[[], None]] = [self._sell, self._sell, self.registry.erase]
        for _ in range(self._events):
            chance.choice(kinds)()
            await self.world.loop.lag(chance.uniform(0, pace))
        await self.world.loop.lag(max(0.0, FAULTS_END - self.world.loop.now))
        self.world.weather.clear_up()
        self.receivers.clear_up()
        self.chaos.cease()
        await settled(self.world, self._unsettled)

    def _taken(self, parcel: Parcel) -> None:
        """Now and then the sender is killed before it has the answer, and its customer changes once more and goes."""
        sender = next((node for node in self.nodes if node.up and node.instance == parcel.sender), None)
        if sender is None or not self._ambush or self.chaos.ceased or parcel.customer in self.registry.erased:
            return
        if self.world.chance.random() < 0.5:
            self._ambush = False
            self.chaos.kill(sender)
            self._sell_to(parcel.customer)
            self.world.loop.outside_at(
                self.world.loop.now + self.world.chance.uniform(*SOON), self._erase, parcel.customer
            )

    def _erase(self, customer: str) -> None:
        if customer not in self.registry.erased:
            self.registry.erase_all_of(customer)

    def _sell(self) -> None:
        self._sell_to(self.world.chance.choice(list(self.registry.customers)))

    def _sell_to(self, customer: str) -> None:
        self.registry.sells(
            OrderPlaced(
                order_id=f"o{len(self.registry.orders)}",
                customer_id=customer,
                channel="/channels/shop",
                ordered_at=LONG_AGO,
                currency="USD",
                total=Decimal(1),
                lines=[],
            )
        )

    def _receivers_fail(self) -> None:
        chance, loop = self.world.chance, self.world.loop
        for channel in self.channels:
            if chance.random() < 0.4:
                begins = chance.uniform(0, FAULTS_END)
                loop.outside_at(begins, self.receivers.down.add, channel)
                loop.outside_at(begins + chance.uniform(*TROUBLE), self.receivers.down.discard, channel)

    def _unsettled(self) -> Iterable[str]:
        engine, cluster = self.world.engine, self.world.cluster
        if self.registry.under_way:
            yield "not everything has been told"
        positions = engine.table(SERVICE, "offsets").documents
        for topic in (CONTACTS.name, SALES.name):
            for place, log in enumerate(cluster.topic(topic)):
                position = positions.get(f"{SERVICE}:{topic}:{place}", {"next": 0})["next"]
                if position < len(log):
                    yield f"sync has only taken {position} of {len(log)} records of {topic}:{place}"
        for table in ("erasing", COLLECTION):
            for row in engine.table(SERVICE, table).documents.values():
                if row["done_at"] is None:
                    yield f"{table} is not done with {row['_id']}"
        ends = {p: row["position"] for p, row in engine.table(SERVICE, "positions").documents.items()}
        for channel in self.channels:
            cursor = engine.table(SERVICE, "progress").documents.get(channel, {}).get("cursor", {})
            if any(cursor.get(str(partition), 0) < end for partition, end in ends.items()):
                yield f"{channel} stands at {cursor} of {ends}"
        if engine.table(SERVICE, "outbox").documents:
            yield "sync has not told everything"

    def wrong(self) -> list[Wrong]:
        return [*self.delivered.on_the_way(), *Withdrawn(self.world, self.receivers, self.registry).wrong()]
