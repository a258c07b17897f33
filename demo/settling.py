"""Waiting for the platform: until all that was sent has had its effects, and until both channels know everything."""

import asyncio
import time
from collections.abc import Callable

from demo.channels import CHANNELS, Channels
from demo.emitters.plan import Tally
from demo.ledger.copies import stale
from demo.ledger.difference import Difference
from demo.ledger.people import Document
from demo.platform import Platform

POLL = 0.2
PATIENCE = 60.0
"""Seconds without any progress after which waiting ends; what is missing then is a difference."""
CALM = 1.5
"""Seconds without a new version of any customer after which the platform has said all it had to say."""


class Settling:
    """Waits on the public APIs alone."""

    def __init__(self, platform: Platform, channels: Channels) -> None:
        self._platform, self._channels = platform, channels

    async def drained(self, sent: Tally, show: Callable[[int, int], None], gone: int = 0) -> bool:
        """Until every event is stored, dropped or refused, and every changed customer delivered. False: gave up.

        `gone` orders were of somebody who was erased, and are in no view.
        """
        goal, best, since = expected_effects(sent) - gone, -1, time.monotonic()
        while time.monotonic() - since < PATIENCE:
            done, behind = await self._effects(), await self._behind()
            if done >= goal and behind == 0:
                return True
            show(min(done, goal), goal)
            # Customers still to be delivered count as progress, too, when they become fewer.
            if done - behind > best:
                best, since = done - behind, time.monotonic()
            await asyncio.sleep(POLL)
        return False

    async def _effects(self) -> int:
        recorded = await self._platform.get("/v1/interactions/summary")
        contacts = await self._platform.get("/v1/contacts/summary")
        viewed = await self._platform.get("/v1/customers/summary")
        letters = await self._platform.get("/v1/dead-letters/summary")
        stored = sum(recorded[kind] for kind in ("interactions", "orders", "contracts", "duplicates"))
        return int(stored + contacts["duplicates"] + viewed["orders"] + sum(letters.values()))

    async def _behind(self) -> int:
        told = [await self._platform.get(f"/v1/channels/{channel.name}") for channel in CHANNELS]
        return sum(channel["backlog"] for channel in told)

    async def settled(self) -> tuple[list[Document], dict[str, list[Difference]]]:
        """The views once nothing changes any more, and what each channel has wrong even then."""
        deadline, calm_since, versions = time.monotonic() + PATIENCE, time.monotonic(), -1
        while True:
            views: list[Document] = list(await self._platform.every("/v1/customers"))
            wrong = {
                channel.name: stale(channel.name, views, self._channels.kept(channel).bodies, channel.fields)
                for channel in CHANNELS
            }
            now = time.monotonic()
            if (total := sum(view["version"] for view in views)) != versions:
                calm_since, versions = now, total
            if now > deadline or (now - calm_since > CALM and not any(wrong.values())):
                return views, wrong
            await asyncio.sleep(POLL)


def expected_effects(sent: Tally) -> int:
    """Sales count twice, stored and in a view; contacts are not counted by themselves."""
    effects = sent.events["interactions"] + sent.events["contracts"] + 2 * sent.events["sales"]
    return effects + sum(sent.twice.values()) + sum(sent.dead_letters.values())
