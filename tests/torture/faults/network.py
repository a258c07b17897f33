"""What happens to one link between two, or to all links of one process: nobody dies of it, and nobody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tests.torture.faults.deaths import hurt_by
from tests.torture.faults.fault import Stroke
from tests.torture.faults.stage import Stage
from tests.torture.proxy import FAIR, Link, Weather

RESET_EVERY = 1.0
CUT = Weather(cut=True)


@dataclass(frozen=True)
class Trouble:
    """One kind of bad weather; `refused` and `reset` say what is done to connections beside."""

    kind: str
    up: Weather = FAIR
    down: Weather = FAIR
    refused: bool = False
    reset: bool = False


TROUBLES: dict[str, Sequence[Trouble]] = {
    "link cut": [Trouble("link cut", CUT, CUT)],
    "link cut one way": [Trouble("link cut one way", CUT, FAIR), Trouble("link cut one way", FAIR, CUT)],
    "link delayed": [
        Trouble(
            "link delayed", Weather(latency=latency, jitter=latency / 2), Weather(latency=latency, jitter=latency / 2)
        )
        for latency in (0.02, 0.2, 1.0)
    ],
    "link throttled": [
        Trouble("link throttled", Weather(bandwidth=rate), Weather(bandwidth=rate)) for rate in (5_000, 50_000)
    ],
    "link sliced": [Trouble("link sliced", Weather(slices=size), Weather(slices=size)) for size in (7, 100)],
    "link reset": [Trouble("link reset", reset=True)],
    "link refused": [Trouble("link refused", refused=True)],
}
"""Each kind in several strengths, of which one is drawn."""
CHANNEL_DOWN = Trouble("channel down", refused=True)
CHANNEL_SILENT = Trouble("channel silent", CUT, CUT)


class LinkTroubled(Stroke):
    """The link has this trouble for so long."""

    def __init__(self, stage: Stage, link: str, trouble: Trouble, seconds: float) -> None:
        super().__init__(stage, trouble.kind, link, seconds, hurt_by_link(link), [link])
        self._trouble = trouble
        self._resetting: asyncio.Task[None] | None = None

    @property
    def _link(self) -> Link:
        return self.stage.links[self.target]

    async def begin(self) -> None:
        self._link.turn(self._trouble.up, self._trouble.down)
        if self._trouble.refused:
            await self._link.refuse()
        if self._trouble.reset:
            self._resetting = asyncio.create_task(self._reset())

    async def _reset(self) -> None:
        """Again and again: once is forgotten before anybody has noticed."""
        while True:
            self._link.reset()
            await asyncio.sleep(RESET_EVERY)

    async def end(self) -> None:
        if self._resetting:
            self._resetting.cancel()
        await self._link.calm()


def hurt_by_link(name: str) -> list[str]:
    start, _, end = name.partition(">")
    if start == "sync":
        return [f"channel:{end}"]
    return [end] if start == "gateway" else hurt_by([start])


def between_services(stage: Stage) -> list[str]:
    """The links inside the platform, but those of instances that may only join."""
    starts = {one.name for one in stage.plan.regulars()} | {"gateway"}
    return sorted(link.name for link in stage.links if link.name.partition(">")[0] in starts)


def to_channels(stage: Stage) -> list[str]:
    return sorted(f"sync>{channel}" for channel in stage.channels)
