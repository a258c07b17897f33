"""What all stories have in common: when their faults end, and how long the world may take to settle after that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol

from tests.simulation.stories.judged import Wrong
from tests.simulation.world.loop import Stuck
from tests.simulation.world.world import World

LONG_AGO = datetime(2017, 3, 1, 12, tzinfo=UTC)
FAULTS_END = 7.0
PATIENCE = 90.0
"""Seconds after the last fault within which everything must have settled."""
LOOK_SECONDS = 0.25


class Story(Protocol):
    """Something that happens in a world, and is judged in the end."""

    def told(self) -> Coroutine[Any, Any, None]: ...

    def wrong(self) -> list[Wrong]: ...


async def settled(world: World, unsettled: Callable[[], Iterable[str]]) -> None:
    """Wait until nothing is unsettled any more. Raises Stuck."""
    deadline = world.loop.now + PATIENCE
    while (what := next(iter(unsettled()), None)) is not None:
        if world.loop.now > deadline:
            raise Stuck(f"{PATIENCE:.0f} s after the last fault {what}")
        await world.loop.lag(LOOK_SECONDS)
