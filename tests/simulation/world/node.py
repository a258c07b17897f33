"""A simulated instance of a service: started, killed, paused, stopped and started again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.messaging import Messaging, Subscription
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.simulation.world.loop import Process
from tests.simulation.world.world import World

SETTINGS = PlatformSettings(batch_records=10, session_timeout_ms=6_000)
TRY_AGAIN_SECONDS = 0.5
Subscriptions = Callable[[], Sequence[Subscription]]


class Node:
    """One instance. Its name survives a restart unless it is given another."""

    def __init__(self, world: World, service: str, instance: str, subscriptions: Subscriptions) -> None:
        self.service = service
        self.instance = instance
        self.process: Process | None = None
        self.messaging: Messaging | None = None
        self._world = world
        self._subscriptions = subscriptions

    @property
    def up(self) -> bool:
        return self.process is not None

    def start(self) -> None:
        self.process = self._world.process(self.instance)
        self._world.note("starts:", self.instance)
        self.process.spawn(self._begin(self.process))

    async def _begin(self, process: Process) -> None:
        """A service that cannot start ends, and is started again by whoever looks after it."""
        while True:
            client = self._world.client()
            messaging = self.composed(client.database(self.service), client.client)
            try:
                await messaging.start()
            except Exception as error:  # noqa: BLE001 - as the process would end by it
                self._world.note("did not start:", type(error).__name__)
                await self._world.loop.lag(TRY_AGAIN_SECONDS)
            else:
                if self.process is process:
                    self.messaging = messaging
                return

    def composed(self, database: Database, client: object) -> Messaging:
        settings = SETTINGS.model_copy(
            update={"instance": self.instance, "batch_records": self._world.chance.choice((2, 5, 10, 50))}
        )
        messaging = Messaging(self.service, settings, client, database)  # type: ignore[arg-type]
        for subscription in self._subscriptions():
            messaging.listen(subscription)
        return messaging

    def kill(self) -> None:
        if self.process is not None:
            self._world.kill(self.process)
            self.process = self.messaging = None

    def pause(self, seconds: float) -> None:
        if self.process is not None:
            self._world.pause(self.process, seconds)

    def stop(self) -> None:
        """As an orchestrator asks for it: finish what is in hand, then go."""
        process, messaging = self.process, self.messaging
        if process is not None and messaging is not None:
            self._world.note("stops:", self.instance)
            self.process = self.messaging = None
            process.spawn(self._end(process, messaging))

    async def _end(self, process: Process, messaging: Messaging) -> None:
        await messaging.stop()
        self._world.note("stopped")
        process.dead = True
