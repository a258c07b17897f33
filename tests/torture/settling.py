"""Waiting until the world stands still: everything taken, told and delivered, or no progress any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.torture.channels import TERMS, Channels
from tests.torture.evidence import Databases, Log, Public
from tests.torture.judge.health import TOPICS, Position, positions
from tests.torture.judge.unity import LOG

POLL = 0.5
CALM_POLLS = 4
"""So many looks in a row must find nothing under way."""


@dataclass(frozen=True)
class Backlog:
    """What is still under way."""

    positions: list[Position]
    outboxes: dict[str, int]
    waiting: dict[str, int]
    """Customers that each channel has not got yet, or is owed again."""
    progress: int
    """Grows whenever anything moves."""

    @property
    def left(self) -> int:
        lag = sum(max(0, one.end - one.next) for one in self.positions)
        return lag + sum(self.outboxes.values()) + sum(self.waiting.values())

    def __str__(self) -> str:
        lag: dict[str, int] = {}
        for one in self.positions:
            lag[one.group] = lag.get(one.group, 0) + one.end - one.next
        outboxes = {f"the outbox of {service}": count for service, count in self.outboxes.items()}
        behind = {name: count for name, count in {**lag, **outboxes, **self.waiting}.items() if count}
        return ", ".join(f"{name} {count:,}" for name, count in behind.items()) or "nothing"


@dataclass(frozen=True)
class Sources:
    """Where a run is looked at."""

    databases: Databases
    log: Log
    public: Public
    channels: Channels


async def backlog(sources: Sources) -> Backlog:
    ends = await sources.log.ends(TOPICS)
    found = positions(await sources.databases.moved(), ends)
    waiting = {}
    for terms in TERMS:
        told = await sources.public.get(f"/v1/channels/{terms.channel}")
        waiting[terms.channel] = told["backlog"] + told["retrying"] + told["failed"]
    erasures = await sources.public.every("/v1/erasures", status="open")
    places = [place for erasure in erasures for place in erasure["open"]]
    waiting["the erased"] = len(places) - places.count(LOG)
    state: dict[str, Any] = await sources.channels.state()
    # Deliveries as such are none: what is refused again and again gets nowhere.
    progress = sum(one.next for one in found) + sum(ends.values()) + sum(state["versions"].values())
    return Backlog(found, await sources.databases.outboxes(), waiting, progress)


async def settled(sources: Sources, patience: float, say: Callable[[str], None]) -> tuple[Backlog, float]:
    """The backlog when nothing is left of it, or when nothing has moved for too long; and the seconds it took."""
    began = moved = time.monotonic()
    calm, best, told = 0, -1, 0.0
    while True:
        now_left = await backlog(sources)
        now = time.monotonic()
        calm = calm + 1 if not now_left.left else 0
        if now_left.progress > best:
            best, moved = now_left.progress, now
        if calm >= CALM_POLLS or now - moved > patience:
            return now_left, now - began
        if now - told > 10:
            say(f"        still under way: {now_left}")
            told = now
        await asyncio.sleep(POLL)
