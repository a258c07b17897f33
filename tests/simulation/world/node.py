"""A simulated instance of a service: started, killed, paused, stopped and started again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.messaging import Messaging
from shared.mongo import Client, Database
from shared.plumbing import _forever
from shared.settings import PlatformSettings
from tests.simulation.world.loop import Process
from tests.simulation.world.world import World

SETTINGS = PlatformSettings(session_timeout_ms=6_000)
BATCHES = (2, 5, 10, 50)
TRY_AGAIN_SECONDS = 0.5
Work = Callable[[], Awaitable[None]]


@dataclass
class Composed:
    """A service's parts, as its `main` composes them."""

    messaging: Messaging
    prepare: Sequence[Work] = ()
    jobs: Sequence[Work] = ()


Compose = Callable[[PlatformSettings, Client, Database], Composed]


class Life:
    """One process of an instance, from its start to its end."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._jobs: list[asyncio.Task[None]] = []
        self._messaging: Messaging | None = None

    async def begin(self, made: Composed) -> None:
        for prepared in made.prepare:
            await prepared()
        await made.messaging.start()
        self._messaging = made.messaging
        self._jobs = [asyncio.get_running_loop().create_task(_forever(job)) for job in made.jobs]

    @property
    def begun(self) -> bool:
        return self._messaging is not None

    async def end(self) -> None:
        """As `shared.plumbing` does it."""
        for job in self._jobs:
            job.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        if self._messaging is not None:
            await self._messaging.stop()
        self.process.dead = True


class Node:
    """One instance. Its name survives a restart unless it is given another."""

    def __init__(self, world: World, service: str, instance: str, compose: Compose) -> None:
        self.service = service
        self.instance = instance
        self._world = world
        self._compose = compose
        self._life: Life | None = None
        self._ending: Process | None = None

    @property
    def up(self) -> bool:
        return self._life is not None

    def start(self) -> None:
        """Two processes must never bear one name: a place is free when its last tenant is gone."""
        if self._ending is not None and not self._ending.dead:
            self.instance = f"{self.instance.partition('+')[0]}+{self._world.loop.now:.1f}"
        life = self._life = Life(self._world.process(self.instance))
        self._world.note("starts:", self.instance)
        life.process.spawn(self._begin(life))

    async def _begin(self, life: Life) -> None:
        """A service that cannot start ends, and is started again by whoever looks after it."""
        while not life.begun:
            client = self._world.client()
            settings = SETTINGS.model_copy(
                update={"instance": self.instance, "batch_records": self._world.chance.choice(BATCHES)}
            )
            try:
                await life.begin(self._compose(settings, client.client, client.database(self.service)))
            except Exception as error:  # noqa: BLE001 - as the process would end by it
                self._world.note("did not start:", type(error).__name__)
                await self._world.loop.lag(TRY_AGAIN_SECONDS)

    def kill(self) -> None:
        if self._life is not None:
            self._world.kill(self._life.process)
            self._life = None

    def pause(self, seconds: float) -> None:
        if self._life is not None:
            self._world.pause(self._life.process, seconds)

    def stop(self) -> None:
        """As an orchestrator asks for it: finish what is in hand, then go."""
        life = self._life
        if life is not None and life.begun:
            self._world.note("stops:", self.instance)
            self._life, self._ending = None, life.process
            life.process.spawn(life.end())
