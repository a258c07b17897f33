"""Faults at the times that the seed gives, overlapping as it happens, and receivers that misbehave for a while."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from tests.torture.channels import MOODY, STREAM, Channels
from tests.torture.faults import Fault, NotRecovered, Stage, draw, recovered
from tests.torture.receivers.behaviour import BAD, Manner
from tests.torture.spec import Spec

LULL = 0.1
"""No fault begins in the last tenth of the load, and whatever began before ends with it."""
BAD_SECONDS = (3.0, 15.0)
BAD_SHARES = (0.1, 0.5, 1.0)


@dataclass
class Strike:
    """One fault as it went. Times are seconds since the load began."""

    kind: str
    target: str
    at: float
    seconds: float
    healed: float | None = None
    recovered: float | None = None
    """Seconds from its end until what it struck worked again."""
    stuck: str | None = None
    """What had not moved on long after its end: that needs a human."""
    failed: str | None = None
    """Why the harness could not strike, heal or watch it: then the run is void."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Strikes:
    """Draws everything before the load begins, so that the seed alone decides what strikes when."""

    def __init__(self, spec: Spec, stage: Stage, channels: Channels, say: Callable[[str], None]) -> None:
        self._spec, self._stage, self._channels, self._say = spec, stage, channels, say
        self._chance = random.Random(f"{spec.seed} faults")
        self._began = 0.0
        self.struck: list[Strike] = []
        self.moods = 0

    async def run(self) -> None:
        """Returns when all is over and healed."""
        last = self._spec.seconds * (1 - LULL)
        faults = [
            (at, draw(self._chance, self._stage, self._spec.kinds or None))
            for at in self._times(self._spec.faults, last)
        ]
        moods = [(at, *self._mood()) for at in self._times(self._spec.misbehaviour, last)]
        self._began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for at, fault in faults:
                group.create_task(self._strike(at, fault))
            for at, manner, share, seconds in moods:
                group.create_task(self._misbehave(at, manner, share, seconds))
        await self._channels.behave(MOODY, Manner.WELL, 1.0)

    def _times(self, count: int, last: float) -> list[float]:
        return sorted(self._chance.uniform(self._spec.warm_up, last) for _ in range(count))

    def _mood(self) -> tuple[Manner, float, float]:
        return self._chance.choice(BAD), self._chance.choice(BAD_SHARES), self._chance.uniform(*BAD_SECONDS)

    @property
    def _now(self) -> float:
        return time.monotonic() - self._began

    async def _until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, self._began + at - time.monotonic()))

    async def _strike(self, at: float, fault: Fault) -> None:
        await self._until(at)
        strike = Strike(fault.kind, fault.target, round(self._now, 2), round(fault.seconds, 2))
        self.struck.append(strike)
        try:
            await self._struck(fault, strike)
            strike.recovered = round(await recovered(self._stage, fault, self._spec.recovery), 2)
            self._say(
                f"{self._now:6.1f} s  recovered from {fault.kind}: {fault.target} {strike.recovered:.1f} s after its end"
            )
        except NotRecovered as error:
            strike.stuck = str(error)
            self._say(f"        {error}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the harness has failed and not the platform
            strike.failed = f"{type(error).__name__}: {error}"
            self._say(f"        {fault.kind}: {fault.target} went wrong: {strike.failed}")

    async def _struck(self, fault: Fault, strike: Strike) -> None:
        """From its beginning, for which it may have had to wait for others of its kind, to its end."""
        try:
            await fault.strike()
            strike.at = round(self._now, 2)
            strike.seconds = round(min(fault.seconds, max(0.0, self._spec.seconds - self._now)), 2)
            self._say(f"{strike.at:6.1f} s  {fault.kind}: {fault.target} for {strike.seconds:.1f} s")
            await asyncio.sleep(strike.seconds)
        finally:
            await fault.heal()
        strike.healed = round(self._now, 2)

    async def _misbehave(self, at: float, manner: Manner, share: float, seconds: float) -> None:
        await self._until(at)
        self.moods += 1
        self._say(f"{at:6.1f} s  {MOODY} behaves: {manner} for {seconds:.1f} s, {share:.0%} of its requests")
        await self._channels.behave(STREAM, Manner.WELL, 1.0)
        await self._channels.behave(MOODY, manner, share)
        await asyncio.sleep(seconds)
        await self._channels.behave(MOODY, Manner.WELL, 1.0)
