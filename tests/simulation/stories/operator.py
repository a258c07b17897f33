"""Who registers the channels, starts some over and asks for some customers again. His own way is calm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError

from services.sync.domain.channel import Registration
from services.sync.handlers.channels import ChannelExists, ChannelNotFound, Channels, CustomerNotFound
from services.sync.store import ChannelStore, DeliveryStore, ViewStore
from shared import mongo
from shared.messaging import Unit
from shared.mongo import Session
from tests.simulation.stories.story import FAULTS_END
from tests.simulation.world.world import World

SERVICE = "sync"
AGAIN_SECONDS = 0.4
SOMETIMES = 0.3


@dataclass(frozen=True)
class Asked:
    """A customer that a channel is to get again, under an id whose last number is at least `number`."""

    channel: str
    customer: str
    number: int
    settled: datetime | None
    """When sync had noted its last delivery, as known at the moment of asking."""


class Operator:
    """Works on the same database as the instances, as through their HTTP interface."""

    def __init__(self, world: World) -> None:
        self.asked: list[Asked] = []
        self._world = world
        client = world.client(calm=True)
        self._client = client.client
        self._database = database = client.database(SERVICE)
        self._channels = Channels(
            ChannelStore(database), DeliveryStore(database), ViewStore(database), lambda: world.now, allow_private=True
        )

    def at_random(self, channels: Sequence[str], customers: Sequence[str]) -> None:
        chance = self._world.chance
        for channel in channels:
            registered = chance.choice((0.0, chance.uniform(0, FAULTS_END)))
            self._plan(registered, self._register, channel)
            if chance.random() < SOMETIMES:
                self._plan(chance.uniform(registered, FAULTS_END), self._start_over, channel)
            if chance.random() < SOMETIMES:
                self._plan(chance.uniform(registered, FAULTS_END), self._ask_again, channel, chance.choice(customers))

    def _plan(self, when: float, act: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        self._world.loop.outside_at(when, self._begin, act, *arguments)

    def _begin(self, act: Callable[..., Any], *arguments: Any) -> None:
        self._world.loop.create_task(act(*arguments), context=self._world.loop.outside)

    async def _register(self, channel: str) -> None:
        registration = Registration.model_validate(
            {
                "channel_id": channel,
                "kind": "webhook",
                "url": "http://receiver/",
                "purpose": "service",
                "basis": "contract",
                "fields": ["*"],
            }
        )
        await self._act(f"registers {channel}", lambda unit: self._channels.register(unit, registration))

    async def _start_over(self, channel: str) -> None:
        await self._act(f"starts {channel} over", lambda unit: self._channels.replay_all(unit, channel, None))

    async def _ask_again(self, channel: str, customer: str) -> None:
        """At a time when there may be no such channel or customer yet."""
        done = await self._act(
            f"asks for {customer} again on {channel}",
            lambda unit: self._channels.replay_customer(unit, channel, customer),
        )
        if done:
            generation = self._world.engine.table(SERVICE, "progress").documents[channel]["generation"]
            receipt = self._world.engine.table(SERVICE, "deliveries").documents[f"{channel}:{customer}"]
            self.asked.append(Asked(channel, customer, generation + receipt["replays"], receipt.get("at")))

    async def _act(self, what: str, change: Callable[[Unit], Awaitable[Any]]) -> bool:
        """Until it is done, or turns out to have been done before, or to be impossible."""

        async def attempt(session: Session) -> None:
            await change(Unit(SERVICE, self._database, session))

        while True:
            try:
                await mongo.transaction(self._client, attempt)
            except PyMongoError:
                await self._world.loop.lag(AGAIN_SECONDS)
            except (ChannelExists, ChannelNotFound, CustomerNotFound):
                return False
            else:
                self._world.note("operator", what)
                return True
