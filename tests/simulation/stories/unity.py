"""Customers are merged, parted and erased while their orders come: sync and campaigns follow, whatever fails on the way, and
contacts looks through the log for the erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from services.campaigns.consumers import listen as campaigns_listens
from services.campaigns.handlers.handing import Handing
from services.campaigns.handlers.holding import Holding
from services.campaigns.handlers.profiles import Following
from services.campaigns.store.campaigns import CampaignStore
from services.campaigns.store.erasing import steps as in_campaigns
from services.campaigns.store.profiles import ProfileStore
from services.contacts.handlers.forgetting import Forgetting
from services.contacts.jobs import look_through_the_log
from services.sync.consumers import listen as sync_listens
from services.sync.handlers.views import Views
from services.sync.store import DeliveryStore, TreeStore, ViewStore
from services.sync.store.erasing import steps as in_sync
from shared.clock import WallClock
from shared.contracts.contacts import CONTACTS
from shared.contracts.erasures import LOG
from shared.contracts.interactions import SALES, OrderPlaced
from shared.erasing import Erasing, Terms
from shared.leases import OwnLease
from shared.links import LinkStore
from shared.messaging import Messaging
from shared.mongo import Client, Database
from shared.settings import PlatformSettings
from tests.simulation.stories.chaos import Chaos
from tests.simulation.stories.judged import Wrong
from tests.simulation.stories.looking import LOG_LOOK_SECONDS, Files, Ledger, SimulatedLog, receipts
from tests.simulation.stories.registry import Registry
from tests.simulation.stories.story import FAULTS_END, LONG_AGO, settled
from tests.simulation.stories.united import United
from tests.simulation.world.mongo.engine import LIFETIME_SECONDS
from tests.simulation.world.node import Composed, Node
from tests.simulation.world.world import World

TERMS = Terms(timedelta(seconds=LIFETIME_SECONDS + 2))
"""The second look comes when no transaction from before can be alive, and the tombstones have been looked at."""
SERVICES = ("sync", "campaigns")
VERY_LATE = (0.5, 40.0)
"""When a batch arrives that its producer has given up: perhaps after both looks of an erasure."""


class Unity:
    """Two services with one to three instances each, and of contacts one that looks through the log; what contacts decides is
    always right.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        chance = world.chance
        world.cluster.late = VERY_LATE
        customers = [f"01890000-0000-7000-8000-{n:012x}" for n in range(chance.randint(2, 5))]
        self.registry = Registry(world, customers)
        self._events = chance.randint(4, 24)
        kinds: list[Callable[[], None]] = [
            *[self._sell] * 5, *[self.registry.merge] * 3, *[self.registry.undo] * 2, self.registry.erase,
        ]  # fmt: skip
        # In half of the runs nobody is erased, so that merges have time to meet each other.
        self._kinds = kinds if chance.random() < 0.5 else kinds[:-1]
        composed = {"sync": self._sync, "campaigns": self._campaigns}
        self.nodes = [
            Node(world, service, f"{service}-{n}", composed[service])
            for service in SERVICES
            for n in range(chance.choice((1, 2, 2, 3)))
        ]
        self.nodes.append(Node(world, "contacts", "contacts-0", self._contacts))
        self.chaos = Chaos(world, self.nodes)

    # The services, as their `main` composes them, but for HTTP and channels

    def _sync(self, settings: PlatformSettings, client: Client, database: Database) -> Composed:
        messaging = Messaging("sync", settings, client, database)
        views, trees, deliveries = ViewStore(database), TreeStore(database), DeliveryStore(database)
        folding = Views(views, trees, self._now)
        removed = in_sync(views, deliveries, self._now)
        erasing = Erasing("sync", database, messaging, removed, TERMS, forget=folding.forget)
        sync_listens(messaging, erasing.beside(folding.fold))
        prepare = [views.prepare, trees.prepare, deliveries.prepare, erasing.prepare]
        return Composed(messaging, prepare, [erasing.carry_out])

    def _campaigns(self, settings: PlatformSettings, client: Client, database: Database) -> Composed:
        messaging = Messaging("campaigns", settings, client, database)
        profiles, links = ProfileStore(database), LinkStore(database)
        rows = CampaignStore(database, timedelta(seconds=60))
        clock = WallClock()
        following = Following(profiles, links, Holding(rows, links, Handing(rows, profiles, clock, UTC), clock), clock)
        erasing = Erasing("campaigns", database, messaging, in_campaigns(following), TERMS)
        following.erased = erasing.tombstones.among
        campaigns_listens(messaging, following, erasing)
        prepare = [profiles.prepare, links.prepare, rows.prepare, erasing.prepare]
        return Composed(messaging, prepare, [erasing.carry_out])

    def _contacts(self, settings: PlatformSettings, client: Client, database: Database) -> Composed:
        messaging = Messaging("contacts", settings, client, database)
        log, ledger = SimulatedLog(self.world), Ledger(self.world, self.registry)
        forgetting = Forgetting(log, Files(), ledger, OwnLease(), settings.instance, messaging.transact)
        return Composed(messaging, jobs=[partial(look_through_the_log, forgetting, LOG_LOOK_SECONDS)])

    def _now(self) -> datetime:
        return self.world.now

    # What happens

    async def told(self) -> None:
        for node in self.nodes:
            node.start()
        self.chaos.at_random(FAULTS_END)
        chance, pace = self.world.chance, self.world.chance.choice((0.02, 0.3, 0.6))
        for _ in range(self._events):
            chance.choice(self._kinds)()
            if chance.random() < 0.7:
                await self.world.loop.lag(chance.uniform(0, pace))
        await self.world.loop.lag(max(0.0, FAULTS_END - self.world.loop.now))
        self.world.weather.clear_up()
        self.chaos.cease()
        await settled(self.world, self._unsettled)

    def _sell(self) -> None:
        number = len(self.registry.orders)
        self.registry.sells(
            OrderPlaced(
                order_id=f"o{number}",
                customer_id=self.world.chance.choice(list(self.registry.customers)),
                channel="/channels/shop",
                ordered_at=LONG_AGO,
                currency="USD",
                total=Decimal(1 << number) / 100,
                lines=[],
            )
        )

    def _unsettled(self) -> Iterable[str]:
        engine, cluster = self.world.engine, self.world.cluster
        if self.registry.under_way:
            yield "not everything has been told"
        for service in SERVICES:
            positions = engine.table(service, "offsets").documents
            for topic in (CONTACTS.name, SALES.name):
                for place, log in enumerate(cluster.topic(topic)):
                    position = positions.get(f"{service}:{topic}:{place}", {"next": 0})["next"]
                    if position < len(log):
                        yield f"{service} has only taken {position} of {len(log)} records of {topic}:{place}"
            for erasure in engine.table(service, "erasing").documents.values():
                if erasure["done_at"] is None:
                    yield f"{service} has not carried out {erasure['_id']}"
        for service in (*SERVICES, "contacts"):
            if engine.table(service, "outbox").documents:
                yield f"{service} has not told everything"
        told = receipts(cluster)
        for asked in set(self.registry.erased.values()):
            if LOG not in told.get(asked, {}):
                yield f"the log is not done with {asked}"

    def wrong(self) -> list[Wrong]:
        return United(self.world, self.registry).wrong()
