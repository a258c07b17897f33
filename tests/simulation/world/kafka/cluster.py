"""The broker's side: the logs, and who of a group reads which partition."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition

from tests.simulation.world.clock import EPOCH
from tests.simulation.world.loop import PROCESS, Loop, Process, settle
from tests.simulation.world.weather import Weather

Headers = Sequence[tuple[str, bytes | None]]
SESSION_SECONDS = 4.0
JOIN = (0.05, 0.4)
LEARN = (0.0, 0.1, 1.5)
"""How long after a rebalance its members hear of it, each for itself: for so long two may believe in one partition."""

LATE = (0.5, 3.0)
"""When a batch arrives that its producer has already given up."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record in the log, as aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Member(Protocol):
    """A consumer, as the group's coordinator sees it."""

    process: Process
    topics: Sequence[str]

    def told(self, generation: int, partitions: set[TopicPartition]) -> None:
        """It is to read these from now on."""


@dataclass
class Group:
    """One consumer group."""

    name: str
    generation: int = 0
    members: list[Member] = field(default_factory=list)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    rebalancing: bool = False


class Cluster:
    """All topics and groups. A topic has its partitions from the first time somebody names it."""

    def __init__(self, loop: Loop, chance: random.Random, weather: Weather, partitions: int) -> None:
        self.loop = loop
        self.chance = chance
        self.weather = weather
        self.partitions = partitions
        self.logs: dict[str, list[list[Record]]] = {}
        self.groups: dict[str, Group] = {}
        self.away_until = 0.0
        self.late = LATE
        self.under_way = 0
        """Batches that will arrive although their producer has given them up."""
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}

    @property
    def away(self) -> bool:
        return self.loop.now < self.away_until

    def topic(self, name: str) -> list[list[Record]]:
        if name not in self.logs:
            self.logs[name] = [[] for _ in range(self.partitions)]
        return self.logs[name]

    def append(self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        log = self.topic(topic)[partition]
        now = int((EPOCH.timestamp() + self.loop.now) * 1000)
        log.append(Record(topic, partition, len(log), now, key, value, tuple(headers)))
        for future in self._waiting.pop(topic, ()):
            settle(future)

    async def grown(self, topics: Sequence[str], patience: float) -> None:
        """Wait until something is written to one of the topics, or as long as one waits."""
        future: asyncio.Future[None] = asyncio.Future(loop=self.loop.asyncio)
        for topic in topics:
            self._waiting.setdefault(topic, []).append(future)
        timer = self.loop.call_later(patience, settle, future)
        await future
        timer.cancel()

    # Groups

    def group(self, name: str) -> Group:
        return self.groups.setdefault(name, Group(name))

    def join(self, group: Group, member: Member) -> None:
        if member not in group.members:
            group.members.append(member)
            self._rebalance_soon(group)

    def leave(self, group: Group, member: Member) -> None:
        if member in group.members:
            group.members.remove(member)
            self._rebalance_soon(group)

    def silent(self, process: Process) -> None:
        """A process is dead or paused: its members are thrown out if they are still silent after the session's time."""
        self.loop.outside_at(self.loop.now + SESSION_SECONDS, self._throw_out, process)

    def _throw_out(self, process: Process) -> None:
        if not process.dead and process.paused_until <= self.loop.now:
            return
        for group in self.groups.values():
            for member in [m for m in group.members if m.process is process]:
                self.leave(group, member)
                # It learns of it when it goes on, sooner or later than its work in hand, and joins again.
                self.loop.call_later(self.chance.uniform(0, 1), self.join, group, member, context=process.context)

    def rebalance(self, group: Group) -> None:
        """For no reason that anybody could see."""
        self._rebalance_soon(group)

    def _rebalance_soon(self, group: Group) -> None:
        if not group.rebalancing:
            group.rebalancing = True
            self.loop.outside_at(self.loop.now + self.chance.uniform(*JOIN), self._assign, group)

    def _assign(self, group: Group) -> None:
        """Equal ranges of all topics, in the members' order, which each newcomer changes."""
        group.rebalancing = False
        group.generation += 1
        members = sorted(group.members, key=lambda m: m.process.name)
        self.chance.shuffle(members)
        for place, member in enumerate(members):
            first, end = (self.partitions * n // len(members) for n in (place, place + 1))
            mine = {TopicPartition(topic, p) for topic in member.topics for p in range(first, end)}
            when = self.loop.now + self.chance.uniform(0, self.chance.choice(LEARN))
            self.loop.call_at(when, member.told, group.generation, mine, context=member.process.context)


def process_here() -> Process:
    process = PROCESS.get()
    assert process is not None, "only processes talk to the broker"
    return process
