"""Sync without Kafka: its handlers over the real database, driven by hand."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from services.sync.clients import SignedPost
from services.sync.domain.channel import Channel, Registration
from services.sync.handlers.channels import Channels
from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.erasing import ChannelErasures
from services.sync.handlers.streams import Line
from services.sync.handlers.tail import ByHeart, Tail
from services.sync.handlers.views import Views
from services.sync.handlers.webhooks import Pace, Post
from services.sync.store import ChannelStore, DeliveryStore, KeyStore, TreeStore, ViewStore
from services.sync.store.owing import OwedStore
from shared import mongo
from shared.contracts.fact import Fact
from shared.messaging import Received, Unit
from shared.messaging.outbox import Outgoing, Told
from shared.mongo import Client, Database, Session
from shared.settings import PlatformSettings
from tests.sync.facts import day
from tests.sync.receiver import Receiver, receiving
from tests.sync.workers import Worker

QUICK = Pace(
    batch=100,
    timeout=2.0,
    schedule=(0.05, 0.05, 0.05),
    first_pause=0.1,
    longest_pause=0.4,
    idle=0.05,
    breath=0.01,
    settle=0.05,
)

RECORD: Any = None
"""The record itself is of no interest to handlers."""


def now() -> datetime:
    return datetime.now(UTC)


def received(fact: Any, origin: str | None = None, partition: int = 0, subject: str | None = None) -> Received:
    about = getattr(fact, "contact", getattr(fact, "score", fact))
    return Received(
        id="event",
        source="/rapport/test",
        type=fact.TYPE,
        subject=subject or about.customer_id,
        time=day(1),
        fact=fact,
        topic="crm.test",
        partition=partition,
        offset=0,
        sequence=None,
        correlation_id="correlation",
        origin=origin,
        record=RECORD,
    )


@dataclass
class Sync:
    """The service's parts, composed as `main` does, but for the consumer."""

    client: Client
    database: Database
    pace: Pace = QUICK
    allow_private: bool = True
    told: list[Outgoing | Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.views = ViewStore(self.database)
        self.trees = TreeStore(self.database)
        self.deliveries = DeliveryStore(self.database)
        self.kept_channels = ChannelStore(self.database)
        self.keys = KeyStore(self.database)
        self.channels = Channels(self.kept_channels, self.deliveries, self.views, now, allow_private=self.allow_private)
        self.courier = SignedPost(allow_private=self.allow_private, timeout=self.pace.timeout)
        self.tail = Tail(self.views, 0.05)
        self.changes = ByHeart(self.tail, self.views)
        self.fold = Views(self.views, self.trees, now, self.tail).fold
        self.debts = OwedStore(self.database)
        self.erasures = ChannelErasures(self.debts, self.deliveries, self.channels.kind_of, self.transact, now)

    async def prepare(self) -> None:
        for prepared in (self.views, self.trees, self.deliveries, self.kept_channels, self.keys, self.debts):
            await prepared.prepare()
        await self.courier.open()

    def post(self, courier: Any = None) -> Post:
        return Post(
            self.channels,
            self.changes,
            self.deliveries,
            courier or self.courier,
            self.tail,
            self.transact,
            now,
            self.pace,
        )

    def line(self) -> Line:
        return Line(self.channels, self.changes, self.deliveries, self.tail, self.transact, now, idle=0.05)

    def dispatch(self, owner: str = "one", lease_seconds: float = 10.0, courier: Any = None) -> Dispatch:
        return Dispatch(self.deliveries, self.post(courier), owner=owner, lease_seconds=lease_seconds)

    async def transact(self, change: Callable[[Unit], Any]) -> Any:
        async def attempt(session: Session) -> tuple[Any, Unit]:
            unit = Unit("sync", self.database, session)
            return await change(unit), unit

        result, unit = await mongo.transaction(self.client, attempt)
        self.told = unit.outgoing
        unit.committed()
        return result

    async def happen(self, *facts: Fact, origin: str | None = None, partition: int = 0) -> None:
        """A batch of facts takes its effect."""
        await self.receive([received(fact, origin, partition) for fact in facts])

    async def receive(self, events: Sequence[Received]) -> None:
        await self.transact(lambda unit: self.fold(unit, events))
        await self.tail.look()

    async def register(self, **fields: Any) -> tuple[Channel, str]:
        said = {"channel_id": "e-shop", "kind": "webhook", "purpose": "service", "basis": "contract", "fields": ["*"]}
        registration = Registration.model_validate({**said, **fields})
        channel, secret = await self.transact(lambda unit: self.channels.register(unit, registration))
        await self.channels.refresh()
        return channel, secret


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[Client]:
    client = mongo.connect(settings)
    yield client
    await mongo.close(client)


@pytest.fixture
async def sync(client: Client, settings: PlatformSettings) -> AsyncIterator[Sync]:
    name = f"{settings.namespace}rapport_sync"
    sync = Sync(client, client[name])
    await sync.prepare()
    yield sync
    await sync.courier.close()
    await client.drop_database(name)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def worker(settings: PlatformSettings) -> Iterator[Worker]:
    worker = Worker(settings)
    yield worker
    worker.close()
