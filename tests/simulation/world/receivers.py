"""The channels' receivers: what arrives at them, what they answer, and what of it the sender hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from services.sync.handlers.webhooks import Answer
from tests.simulation.world.loop import settle
from tests.simulation.world.world import World

ROAD = (0.001, 0.3)
THINKING = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that a receiver has taken."""

    at: datetime
    sender: str
    message_id: str
    channel: str
    customer: str
    version: int
    erased: str | None
    """The erasure, where it tells of one."""


@dataclass
class Receivers:
    """All receivers of a world."""

    world: World
    taken: list[Parcel] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    """Channels that take nothing at present."""
    indigestible: set[tuple[str, str]] = field(default_factory=set)
    """Channel and customer that it takes nothing about at present."""
    watch: Callable[[Parcel], None] = lambda _: None
    """Told of all that is taken, before the sender hears of it."""

    def arrives(self, sender: str, message_id: str, body: bytes, answer: asyncio.Future[Answer]) -> None:
        document = orjson.loads(body)
        channel, customer = document["channel"], document["customer_id"]
        weather, chance, loop = self.world.weather, self.world.chance, self.world.loop
        said: Answer | None = Answer(200)
        if weather.strikes("http.silent"):
            self.world.note("not heard:", message_id)
            return
        if channel in self.down or (channel, customer) in self.indigestible or weather.strikes("http.error"):
            said = Answer(500)
        elif weather.strikes("http.busy"):
            said = Answer(429, retry_after="1")
        else:
            self.world.note("takes", message_id, "from", sender)
            version, erased = document["version"], document.get("erased")
            self.taken.append(Parcel(self.world.now, sender, message_id, channel, customer, version, erased))
            self.watch(self.taken[-1])
            if weather.strikes("http.answer-lost"):
                said = None
        if said is not None:
            loop.outside_at(loop.now + chance.uniform(*THINKING), settle, answer, said)

    def clear_up(self) -> None:
        self.down.clear()
        self.indigestible.clear()


@dataclass
class SimulatedCourier:
    """One instance's way to the receivers. What it has sent arrives, whatever becomes of the instance."""

    receivers: Receivers
    sender: str
    timeout: float
    watch: Callable[[str, str], None]
    """Told of every departure: sender and message id."""

    async def send(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> Answer:
        world = self.receivers.world
        self.watch(self.sender, message_id)
        answer: asyncio.Future[Answer] = world.loop.create_future()
        arrival = world.loop.now + world.chance.uniform(*ROAD)
        world.loop.outside_at(arrival, self.receivers.arrives, self.sender, message_id, body, answer)
        try:
            async with asyncio.timeout(self.timeout):
                return await answer
        except TimeoutError:
            return Answer(None, error="did not answer in time")
