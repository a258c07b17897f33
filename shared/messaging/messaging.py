"""The core as one service sees it: what it listens to, transactions that tell, records to the broker, its health."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import structlog
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker
from pymongo.errors import PyMongoError

from shared import mongo
from shared.logging import whereabouts
from shared.messaging import offsets, outbox, relay
from shared.messaging.backoff import Backoff
from shared.messaging.consumer import Consumer
from shared.messaging.listener import Listener
from shared.messaging.outbox import Outgoing
from shared.messaging.patient import make_patient
from shared.messaging.producer import Producer
from shared.messaging.relay import Relay
from shared.messaging.subscription import Subscription
from shared.messaging.unit import Unit
from shared.mongo import Client, Database, Session
from shared.settings import PlatformSettings

T = TypeVar("T")
log = structlog.get_logger()
SEND_SECONDS = 15.0
"""An idempotent producer tries for ever; a caller is told after this time that its records may not have arrived."""
RETRY_BACKOFF_MS = 250
"""While the broker is away, each consumer asks for it so often."""
GRACE_SECONDS = 25.0
"""For the batch in hand when the service stops; Kubernetes waits longer."""


class Unavailable(Exception):
    """The broker does not take records now; the caller may try again."""


class Messaging:
    """Create, `listen`, `start`; `stop` lets the batch in hand finish."""

    def __init__(self, service: str, settings: PlatformSettings, client: Client, database: Database) -> None:
        self.service = service
        self.database = database
        self._settings = settings
        self._client = client
        self._broker = KafkaBroker(
            settings.kafka_bootstrap,
            client_id=f"rapport-{service}-{settings.instance}",
            apply_types=False,
            serializer=None,  # else it builds a pydantic model of the handler's signature, which takes raw records
            consumer_only=True,
            allow_auto_create_topics=False,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            graceful_timeout=GRACE_SECONDS,
            logger=None,
        )
        self._producer = Producer(service, settings)
        self._relay = Relay(service, settings.instance, client, database, self._producer)
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._watches: list[asyncio.Task[None]] = []
        self._connected = False

    def listen(self, subscription: Subscription) -> None:
        """Before `start`."""
        consumer = Consumer(self.service, subscription, self._settings, self._client, self.database)
        self._listeners.append(Listener(consumer, self._broker, self._settings))

    async def start(self) -> None:
        """Needs MongoDB; a broker that is away is awaited in the background, and `ready` says so meanwhile."""
        # Collections must exist before transactions of two instances could race to create them.
        await mongo.ensure_collections(self.database, (outbox.COLLECTION, offsets.COLLECTION, relay.COLLECTION))
        await self.database[outbox.COLLECTION].create_index(outbox.IN_TIME)
        await self._relay.pin()
        self._tasks.append(asyncio.create_task(self._connect(), name="connect"))

    async def _connect(self) -> None:
        backoff = Backoff(most=5.0)
        while not self._connected:
            try:
                if not self._producer.started:
                    await self._producer.start()
                await self._broker.connect()
                make_patient(self._broker)
                await self._broker.start()
            except Exception as error:  # noqa: BLE001 - whatever it is, without the broker there is no service
                wait = backoff.next()
                away = isinstance(error, KafkaError | OSError)
                level = log.warning if away else log.error
                level("broker_away", retry_in=round(wait, 2), error=type(error).__name__, at=whereabouts(error))
                with suppress(Exception):
                    await self._broker.stop()
                await asyncio.sleep(wait)
            else:
                self._connected = True
        self._tasks.append(asyncio.create_task(self._relay.run(), name="relay"))
        self._watches += [asyncio.create_task(listener.watch(), name="watch") for listener in self._listeners]

    async def stop(self) -> None:
        """Take no more, finish the batch in hand, publish nothing half."""
        for listener in self._listeners:
            listener.stop()
        self._relay.stop()
        if not self._connected:
            for task in self._tasks:
                task.cancel()
        for watch in self._watches:
            watch.cancel()  # it may be waiting for a client that is about to be closed
        await self._broker.stop()
        _, late = await asyncio.wait(self._tasks, timeout=GRACE_SECONDS) if self._tasks else (set(), set())
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._watches, return_exceptions=True)
        await self._producer.stop()

    async def transact(self, change: Callable[[Unit], Awaitable[T]]) -> T:
        """Run `change` in a transaction and tell what it publishes, if and when it commits. It may be run again."""

        async def attempt(session: Session) -> tuple[T, Unit]:
            unit = Unit(self.service, self.database, session)
            result = await change(unit)
            await unit.flush()
            return result, unit

        result, unit = await mongo.transaction(self._client, attempt)
        unit.committed()
        return result

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Records straight to the broker, for the edge only. Raises Unavailable unless all are acknowledged."""
        if not self._producer.started:
            raise Unavailable("the broker is not connected")
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._producer.publish(records)
        except (KafkaError, OSError) as error:
            raise Unavailable(type(error).__name__) from error

    async def live(self) -> tuple[bool, dict[str, Any]]:
        """False only if a restart would help: work waits, the broker answers, and nothing moves."""
        now = time.monotonic()
        stuck = (
            [listener.progress for listener in self._listeners if listener.progress.overdue(now)]
            if self._connected
            else []
        )
        return not stuck, {"stuck_consumers": len(stuck)}

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        try:
            async with asyncio.timeout(3):
                await self.database.command("ping")
            database = True
        except (PyMongoError, TimeoutError):
            database = False
        halted = any(listener.progress.halted for listener in self._listeners)
        return self._connected and database and not halted, {
            "broker": self._connected,
            "database": database,
            "halted": halted,
            "retrying": any(listener.progress.failing for listener in self._listeners),
        }
