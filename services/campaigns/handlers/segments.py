"""Saving segments, and saying whom a rule describes at this moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.campaigns.domain.conditions import Node
from services.campaigns.domain.rules import written
from services.campaigns.domain.segment import Segment
from services.campaigns.handlers.errors import UnknownSegment
from shared.clock import Clock
from shared.ids import uuid7
from shared.moments import to_the_millisecond

SAMPLE = 10


class Segments(Protocol):
    """Where saved segments are kept."""

    async def add(self, segment: Segment, session: Any) -> None: ...

    async def get(self, segment_id: str) -> Segment | None: ...

    async def page(self, after: str | None, limit: int) -> list[Segment]: ...


class Population(Protocol):
    """Who can be asked for the customers that a rule describes."""

    async def count(self, rule: Node, now: datetime) -> int: ...

    async def first(self, rule: Node, now: datetime, limit: int) -> list[str]: ...


@dataclass(frozen=True)
class Preview:
    """Whom a rule describes at this moment."""

    customers: int
    sample: list[str]


class Segmenting:
    """Segments, from the outside."""

    def __init__(self, segments: Segments, population: Population, clock: Clock) -> None:
        self._segments = segments
        self._population = population
        self._clock = clock

    async def save(self, session: Any, segment_id: str | None, name: str, rule: Node) -> Segment:
        now = to_the_millisecond(await self._clock.now())
        segment = Segment(segment_id=segment_id or uuid7(now), name=name, rule=written(rule), created_at=now)
        await self._segments.add(segment, session)
        return segment

    async def get(self, segment_id: str) -> Segment:
        segment = await self._segments.get(segment_id)
        if segment is None:
            raise UnknownSegment(segment_id)
        return segment

    async def page(self, after: str | None, limit: int) -> list[Segment]:
        return await self._segments.page(after, limit)

    async def preview(self, rule: Node) -> Preview:
        now = await self._clock.now()
        return Preview(
            customers=await self._population.count(rule, now),
            sample=await self._population.first(rule, now, SAMPLE),
        )
