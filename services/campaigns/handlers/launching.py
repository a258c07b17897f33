"""Launching a campaign: draw its customers, then tell about each, in steps that a crash may interrupt anywhere.

    draft -- begin --> launching (drawing, then telling) --> launched

Who carries a launch on holds a lease on the campaign; every step is a transaction that renews it, so of two instances
only one gets anywhere. Until the draw is complete nobody has been told, and an interrupted draw is thrown away and made
anew. From then on the list is fixed, and a mark on the campaign says how far it has been told.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, Protocol

import structlog

from services.campaigns.domain.campaign import Arm, Campaign, WrongState, arm, audience, drawn
from services.campaigns.domain.conditions import Node
from services.campaigns.domain.rules import RULE
from services.campaigns.handlers.campaigns import Selection
from services.campaigns.handlers.holding import Holding
from shared.clock import Clock
from shared.contracts.campaigns import CAMPAIGNS, CampaignLaunched
from shared.logging import whereabouts
from shared.messaging import Messaging, Unit

log = structlog.get_logger()


class LeaseLost(Exception):
    """Somebody else carries the launch on. Nothing of the step at hand has happened."""


@dataclass(frozen=True)
class Lease:
    """The right to carry on one launch, and how far it has come."""

    campaign: Campaign
    attempt: int
    """Grows with every lease: tells the rows of one draw from those of an abandoned one."""
    drawn: bool


class Launches(Protocol):
    """Where launches are kept. Whatever takes a lease raises LeaseLost, unless it is still the newest one."""

    async def begin(self, campaign_id: str, session: Any) -> None: ...

    async def unfinished(self) -> list[str]: ...

    async def claim(self, campaign_id: str) -> Lease | None: ...

    async def release(self, lease: Lease) -> None: ...

    async def discard_draws_before(self, lease: Lease) -> None: ...

    async def add_drawn(self, lease: Lease, rows: Sequence[Selection], session: Any) -> None: ...

    async def fix_draw(self, lease: Lease, campaign: Campaign, session: Any) -> None: ...

    async def take_untold(self, lease: Lease, limit: int, session: Any) -> list[Selection]: ...

    async def finish(self, lease: Lease, session: Any) -> None: ...

    async def moved(self, session: Any) -> None: ...

    async def resting(self) -> bool: ...


class Audience(Protocol):
    """Who knows the customers of a rule, all as of one moment."""

    def everyone(self, rule: Node, now: datetime, chunk: int) -> AsyncIterator[list[str]]: ...


class Launching:
    """Launches, from the request to the last event."""

    def __init__(
        self,
        messaging: Messaging,
        launches: Launches,
        people: Audience,
        holding: Holding,
        clock: Clock,
        chunk: int = 1000,
    ) -> None:
        self._messaging = messaging
        self._holding = holding
        self._launches = launches
        self._people = people
        self._clock = clock
        self._chunk = chunk
        self.asked = asyncio.Event()
        """Set when a launch has begun here, so that it need not wait for the next round."""

    async def begin(self, campaign: Campaign, session: Any) -> None:
        """From the commit on the launch happens, whatever dies. Beginning again changes nothing."""
        if campaign.state == "closed":
            raise WrongState(f"campaign {campaign.campaign_id} is closed")
        if campaign.state == "draft":
            await self._launches.begin(campaign.campaign_id, session)

    async def carry_on_all(self, seconds: float) -> bool:
        """Give each launch that nobody holds some time, so that a large one keeps no small one waiting. Any left?

        None while profiles are made anew: who is in a segment, and who may be contacted, is not known then.
        """
        if await self._launches.resting():
            return False
        for campaign_id in await self._launches.unfinished():
            await self.carry_on(campaign_id, seconds)
        return bool(await self._launches.unfinished())

    async def carry_on(self, campaign_id: str, seconds: float) -> None:
        """Draw, if that is to be done, then tell for so long. Does nothing where somebody else holds the launch."""
        lease = await self._launches.claim(campaign_id)
        if lease is None:
            return
        try:
            await self._go_on(lease, seconds)
        except LeaseLost:
            log.info("launch_lease_lost", campaign_id=campaign_id, attempt=lease.attempt)
        except Exception as error:  # noqa: BLE001 - other launches have their turn
            # The lease is kept, so that the next attempt waits until it ends.
            name, place = type(error).__name__, whereabouts(error)
            log.error("launch_failed", campaign_id=campaign_id, attempt=lease.attempt, error=name, at=place)
        except asyncio.CancelledError:
            await self._launches.release(lease)
            raise
        else:
            await self._launches.release(lease)

    async def _go_on(self, lease: Lease, seconds: float) -> None:
        if not lease.drawn:
            lease = await self._draw(lease)
        until = monotonic() + seconds
        while not await self._messaging.transact(partial(self._tell, lease)):
            if monotonic() > until:
                return
        log.info("campaign_launched", campaign_id=lease.campaign.campaign_id, attempt=lease.attempt)

    async def _draw(self, lease: Lease) -> Lease:
        """Fix who is in the campaign, in which arm, all as of this moment."""
        await self._launches.discard_draws_before(lease)
        campaign, now, arms = lease.campaign, await self._clock.now(), Counter[Arm]()
        rule = audience(RULE.validate_python(campaign.rule), campaign.channel, campaign.requires_consent)
        async for customer_ids in self._people.everyone(rule, now, self._chunk):
            rows = [Selection(one, arm(campaign.seed, one, campaign.control_share)) for one in customer_ids]
            arms.update(row.arm for row in rows)
            await self._messaging.transact(partial(self._add, lease, rows))
        fixed = drawn(campaign, now, treated=arms["treatment"], held_out=arms["control"])
        await self._messaging.transact(partial(self._fix, lease, fixed))
        return replace(lease, campaign=fixed, drawn=True)

    async def _add(self, lease: Lease, rows: list[Selection], unit: Unit) -> None:
        await self._launches.add_drawn(lease, rows, unit.session)

    async def _fix(self, lease: Lease, campaign: Campaign, unit: Unit) -> None:
        await self._launches.moved(unit.session)
        await self._launches.fix_draw(lease, campaign, unit.session)

    async def _tell(self, lease: Lease, unit: Unit) -> bool:
        """One chunk of events, with the mark of how far they have been told. True when all is told."""
        at, _ = lease.campaign.window()
        rows = await self._launches.take_untold(lease, self._chunk, unit.session)
        await self._holding.tell(unit, lease.campaign, rows)
        if len(rows) == self._chunk:
            return False
        await self._launches.finish(lease, unit.session)
        unit.publish(CAMPAIGNS, launched(lease.campaign), key=lease.campaign.campaign_id, time=at)
        return True


def launched(campaign: Campaign) -> CampaignLaunched:
    begin, _ = campaign.window()
    return CampaignLaunched(
        campaign_id=campaign.campaign_id,
        name=campaign.name,
        channel=campaign.channel,
        launched_at=begin,
        segment=campaign.rule,
        treated=campaign.treated,
        held_out=campaign.held_out,
    )
