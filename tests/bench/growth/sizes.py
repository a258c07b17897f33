"""The run itself: customers by events, rebuilds, then size after size: fill, start, measure, check."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from redis.asyncio import Redis

from tests.bench.growth import checking, pages
from tests.bench.growth.filling import ORIGINALS, fill, originals
from tests.bench.growth.forms import Original
from tests.bench.growth.measuring import KINDS, Measured, check, measure, touches, untouched, views_of
from tests.bench.growth.people import Road
from tests.bench.growth.platform import Platform, between
from tests.bench.growth.quiet import Watch, settle
from tests.bench.growth.rebuilding import FOLLOWS, Rebuilt, rebuild

CHANNEL = "bench"
IDLE_SECONDS = 3.0
CHECKED = 20
"""Customers of each size who are looked at more closely."""


@dataclass(frozen=True)
class Plan:
    made: int
    """Customers made by events."""
    sizes: Sequence[int]
    events: int
    """In a round; each customer gets one event at most, at all sizes together."""
    warm_up: int
    rounds: int


@dataclass
class At:
    """What was found at one size."""

    customers: int
    filled: int
    """Documents written to come here from the size before."""
    fill_seconds: float
    start_seconds: dict[str, float]
    cold: list[Measured] = field(default_factory=list)
    """Rounds in which each customer's event is the first since everything was started."""
    warm: list[Measured] = field(default_factory=list)
    """And one more event for each of the same customers, who are in all caches now."""
    idle: dict[str, float] = field(default_factory=dict)
    """Milliseconds of CPU a second while nothing happens."""
    memory_mb: dict[str, float] = field(default_factory=dict)
    held_mb: dict[str, float] = field(default_factory=dict)
    """What MongoDB holds, and its cache."""
    pages: dict[str, float] = field(default_factory=dict)
    """Pages an event that MongoDB fetched for the collections and indexes that need most, warm and cold together."""


@dataclass
class Growing:
    """One platform that grows."""

    platform: Platform
    plan: Plan
    receiver: str
    say: Any
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    patterns: list[Original] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    """Customers whom no measurement has touched yet."""
    have: int = 0

    async def make(self) -> list[Rebuilt]:
        """The first customers, by events; and all projections of them once more."""
        async with roads(self.platform) as (road, watch):
            await self.platform.register(CHANNEL, self.receiver)
            began = time.monotonic()
            await settle(self.platform, road, watch, range(self.plan.made))
            self.say(f"{self.plan.made:,} customers made by events in {time.monotonic() - began:.0f} s")
            await self.platform.post("/v1/models/refit", {})
            await watch.quiet(within=120)
            rebuilt = []
            for service in FOLLOWS:
                rebuilt.append(await rebuild(self.platform, watch, service, within=300))
                self.say(f"{service} rebuilt in {rebuilt[-1].seconds:.1f} s from {rebuilt[-1].records:,} records")
            numbers = self.chance.sample(range(self.plan.made), min(ORIGINALS, self.plan.made))
            self.patterns = await originals(self.platform, numbers)
        self.have = self.plan.made
        self.waiting = list(range(self.have))
        return rebuilt

    async def grow(self, customers: int) -> At:
        """To this size, and start on it."""
        await self.platform.stop()
        began = time.monotonic()
        written = await fill(self.platform, self.patterns, range(self.have, customers))
        took = time.monotonic() - began
        self.waiting += range(self.have, customers)
        self.have = customers
        self.say(f"{customers:,} customers: {written:,} documents filled in {took:.0f} s")
        # So that stopping has little left to write.
        await self.platform.mongo.admin.command("fsync")
        await self.platform.restart_all()
        await forget_identities(self.platform)
        return At(customers, written, took, dict(self.platform.became_ready))

    async def measure(self, at: At) -> None:
        """Rounds over customers whom no event has reached before, and over the same ones again."""
        async with roads(self.platform) as (road, watch):
            await watch.quiet(within=120)
            fetched = await pages.by_place(self.platform)
            for number, events in enumerate([self.plan.warm_up, *[self.plan.events] * self.plan.rounds]):
                numbers = self.some(events)
                name = f"g{at.customers}-{number}"
                before = {one: untouched(one, self.origin(one)) for one in numbers}
                cold, before = await self.touch(road, watch, before, f"{name}-cold")
                warm, _ = await self.touch(road, watch, before, f"{name}-warm")
                if number:
                    at.cold.append(cold)
                    at.warm.append(warm)
            touched = 2 * (self.plan.warm_up + self.plan.rounds * self.plan.events)
            at.pages = pages.most(fetched, await pages.by_place(self.platform), touched)
            at.idle = await idle(self.platform)
            at.memory_mb = self.platform.memory_mb()
            at.held_mb = await pages.held_mb(self.platform)
            await checking.sums(self.platform, at.customers)
            newest = range(max(self.plan.made, at.customers - CHECKED), at.customers)
            await checking.same_by_identifier(self.platform, newest)
            await checking.told_again(self.platform, road, watch, newest)

    async def touch(
        self, road: Road, watch: Watch, before: dict[int, dict[str, Any]], name: str
    ) -> tuple[Measured, dict[int, dict[str, Any]]]:
        """One event for each; what it cost, and the customers as they are now."""
        wanted = touches(list(before), self.chance)
        found = await measure(self.platform, road, watch, wanted, name, within=600)
        after = await views_of(self.platform, list(before))
        check(before, after, wanted)
        return found, after

    def origin(self, number: int) -> int:
        """Whom a customer is like: himself, or one who was copied."""
        return number if number < self.plan.made else self.patterns[number % len(self.patterns)].identity.number

    def some(self, count: int) -> list[int]:
        chosen = set(self.chance.sample(self.waiting, count))
        self.waiting = [number for number in self.waiting if number not in chosen]
        return sorted(chosen)

    async def run(self) -> tuple[list[At], list[Rebuilt]]:
        rebuilt = await self.make()
        found = []
        for customers in self.plan.sizes:
            at = await self.grow(customers)
            await self.measure(at)
            self.say(f"{customers:,} customers, CPU us an event: cold {told(at.cold)}; warm {told(at.warm)}")
            found.append(at)
        return found, rebuilt


def told(rounds: Sequence[Measured]) -> str:
    """The medians by process, the dearest first."""
    costs = {name: statistics.median(one["cpu us"][name] for one in rounds) for name in rounds[0]["cpu us"]}
    return ", ".join(f"{name} {cost:,.0f}" for name, cost in sorted(costs.items(), key=lambda pair: -pair[1]))


@asynccontextmanager
async def roads(platform: Platform) -> AsyncIterator[tuple[Road, Watch]]:
    async with Road(platform) as road, Watch(platform) as watch:
        yield road, watch


async def forget_identities(platform: Platform) -> None:
    """Whom an identifier belongs to is remembered in Redis, but only of customers that events have made."""
    async with Redis.from_url(platform.running.servers.redis.url) as cache:
        async for key in cache.scan_iter(f"{platform.namespace}*", count=1000):
            await cache.delete(key)


async def idle(platform: Platform) -> dict[str, float]:
    before, began = platform.spent(), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    took = time.monotonic() - began
    return {name: seconds / took * 1000 for name, seconds in between(before, platform.spent()).items()}


def plain(found: Sequence[At | Rebuilt]) -> list[dict[str, Any]]:
    return [asdict(one) for one in found]


def kinds() -> Iterator[str]:
    """Shares of the events, in words."""
    return (f"{KINDS.count(kind) * 100 // len(KINDS)} % {kind}s" for kind in dict.fromkeys(KINDS))
