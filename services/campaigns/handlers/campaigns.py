"""Planning campaigns, closing them, and saying what they did. Launching is in `launching.py`."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from time import monotonic
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from services.campaigns.domain.campaign import Arm, Campaign, closed, counted
from services.campaigns.domain.conditions import Node
from services.campaigns.domain.effect import add_up, effect, no_figures
from services.campaigns.domain.findings import Effect
from services.campaigns.domain.handover import Why
from services.campaigns.domain.quiet import QuietHours
from services.campaigns.domain.rules import written
from services.campaigns.domain.segment import Segment
from services.campaigns.handlers.errors import UnknownCampaign, UnknownSegment
from shared.clock import Clock
from shared.ids import uuid7
from shared.moments import to_the_millisecond


class Selection(NamedTuple):
    """A customer of a campaign."""

    customer_id: str
    arm: Arm


class Response(NamedTuple):
    """A customer of a campaign, and what they bought within its response window."""

    customer_id: str
    arm: Arm
    orders: int
    revenue: Decimal
    counted_with: str | None = None
    """The customer of the campaign who was found to be the same person, and as whom this one counts."""


@dataclass(frozen=True)
class Plan:
    """A campaign as a marketer asks for it. The segment is a rule, or the id of a saved one."""

    name: str
    channel: str
    message: str
    segment: Node | str
    control_share: float
    response_days: int
    campaign_id: str | None = None
    seed: str | None = None
    requires_consent: str | None = None
    quiet_hours: QuietHours | Literal["usual"] | None = "usual"
    """`usual`: those of the channel, as the company has set them."""


class SavedSegments(Protocol):
    """Who knows the saved segments."""

    async def get(self, segment_id: str) -> Segment | None: ...


class Campaigns(Protocol):
    """Where campaigns and their customers are kept."""

    async def add(self, campaign: Campaign, session: Any) -> None: ...

    async def get(self, campaign_id: str, session: Any = None) -> Campaign | None: ...

    async def page(self, after: tuple[datetime, str] | None, limit: int) -> list[Campaign]: ...

    async def close(self, campaign: Campaign, session: Any) -> None: ...

    async def customers(self, campaign_id: str, after: str | None, limit: int, arm: Arm | None) -> list[Selection]: ...

    async def selected(self, campaign_id: str, customer_ids: Collection[str]) -> list[Selection]:
        """Those among them who are in the campaign."""
        ...

    def all_customers(self, campaign_id: str) -> AsyncIterator[list[Selection]]: ...

    async def kept_back(self, campaign_ids: Collection[str]) -> dict[str, dict[Why | None, int]]:
        """How many of each campaign are not contacted, by the reason; None: they wait."""
        ...


class Persons(Protocol):
    """Who knows what the persons behind customers have bought."""

    async def responses(self, campaign: Campaign, selected: Sequence[Selection]) -> list[Response]: ...


class Campaigning:
    """Campaigns, from the outside."""

    def __init__(
        self,
        campaigns: Campaigns,
        segments: SavedSegments,
        persons: Persons,
        clock: Clock,
        currency: str,
        quiet_hours: Mapping[str, QuietHours] = MappingProxyType({}),
    ) -> None:
        """`quiet_hours`: the usual ones, by channel."""
        self._quiet_hours = quiet_hours
        self._campaigns = campaigns
        self._segments = segments
        self._persons = persons
        self._clock = clock
        self._currency = currency

    async def plan(self, plan: Plan, session: Any) -> Campaign:
        """A draft, with the rule of its segment written into it. Without a seed, its own id is one."""
        now = await self._clock.now()
        campaign_id = plan.campaign_id or uuid7(now)
        campaign = Campaign(
            campaign_id=campaign_id,
            name=plan.name,
            channel=plan.channel,
            message=plan.message,
            rule=await self._rule(plan.segment),
            segment_id=plan.segment if isinstance(plan.segment, str) else None,
            control_share=plan.control_share,
            response_days=plan.response_days,
            seed=plan.seed if plan.seed is not None else campaign_id,
            requires_consent=plan.requires_consent,
            quiet_hours=self._quiet_hours.get(plan.channel) if plan.quiet_hours == "usual" else plan.quiet_hours,
            created_at=to_the_millisecond(now),
        )
        await self._campaigns.add(campaign, session)
        return campaign

    async def _rule(self, segment: Node | str) -> dict[str, Any]:
        if not isinstance(segment, str):
            return written(segment)
        saved = await self._segments.get(segment)
        if saved is None:
            raise UnknownSegment(segment)
        return saved.rule

    async def get(self, campaign_id: str, session: Any = None) -> Campaign:
        campaign = await self._campaigns.get(campaign_id, session)
        if campaign is None:
            raise UnknownCampaign(campaign_id)
        return campaign

    async def settled(self, campaign_id: str, seconds: float) -> Campaign:
        """The campaign once its launch is over, or as it is after so long."""
        until = monotonic() + seconds
        # Any instance may be at it, so there is no event to wait for.
        while (campaign := await self.get(campaign_id)).state == "launching" and monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        return campaign

    async def page(self, after: tuple[datetime, str] | None, limit: int) -> list[Campaign]:
        """The newest first."""
        return await self._campaigns.page(after, limit)

    async def counted(self, campaigns: Sequence[Campaign]) -> list[Campaign]:
        """With how many wait, and how many are withheld, at this moment."""
        kept_back = await self._campaigns.kept_back([one.campaign_id for one in campaigns])
        return [counted(one, kept_back.get(one.campaign_id, {})) for one in campaigns]

    async def close(self, campaign_id: str, session: Any) -> Campaign:
        """From now on nothing more is counted."""
        campaign = await self.get(campaign_id, session)
        over = closed(campaign, await self._clock.now())
        if over != campaign:
            await self._campaigns.close(over, session)
        return over

    async def effect(self, campaign_id: str) -> Effect:
        """Counted afresh from the orders: whatever order facts came in, and however late, each counts as it should."""
        campaign = await self.get(campaign_id)
        figures = no_figures()
        async for selected in self._campaigns.all_customers(campaign_id):
            add_up(figures, await self._persons.responses(campaign, selected))
        return effect(
            campaign, figures["treatment"], figures["control"], now=await self._clock.now(), currency=self._currency
        )
