"""Campaigns over HTTP: plan, launch and close. What they did is in `looking`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidatorFunctionWrapHandler, WrapValidator

from services.campaigns.api.discretion import Discretion
from services.campaigns.api.looking import looking_back
from services.campaigns.api.segments import EXAMPLE, Id, Reader, Writer, Writing
from services.campaigns.domain.campaign import Campaign, State
from services.campaigns.domain.handover import Why
from services.campaigns.domain.quiet import QuietHours
from services.campaigns.domain.rules import RULE, Part, written
from services.campaigns.handlers.campaigns import Campaigning, Plan
from services.campaigns.handlers.errors import UnknownSegment
from services.campaigns.handlers.launching import Launching
from services.campaigns.handlers.looking import Looking
from shared.contracts.fact import Code, Name
from shared.http import Cursor, Limit, Page, Problem, encode_moment, moment_and_place
from shared.idempotency import TAKES_KEY, Answer, idempotent
from shared.messaging import Messaging, Unit
from shared.security import TAKES_PURPOSE


class Saved(BaseModel):
    """A saved segment, by its id. Its rule is copied into the campaign."""

    model_config = ConfigDict(extra="forbid")

    segment_id: Id


def saved_or_rule(value: Any, _: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, Mapping) and "segment_id" in value:
        return Saved.model_validate(value)
    return RULE.validate_python(value)


Segment: TypeAlias = Annotated[Saved | Part, WrapValidator(saved_or_rule)]


class NewCampaign(BaseModel):
    """A campaign to be. Nobody is chosen before it is launched."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "campaign_id": "winback-2026-11",
                    "name": "Win back",
                    "channel": "mail",
                    "message": "We miss you: 10 % on your next basket",
                    "segment": EXAMPLE,
                    "control_share": 0.3,
                    "response_days": 60,
                    "requires_consent": "marketing",
                    "quiet_hours": {"from": "20:00", "until": "08:00"},
                }
            ]
        },
    )

    campaign_id: Id | None = None
    """Given by us if absent."""
    name: Name
    channel: Code
    """The kind of channel that is to make the contacts."""
    message: Annotated[str, Field(min_length=1, max_length=2000)]
    segment: Segment
    control_share: Annotated[float, Field(ge=0, le=0.9, strict=True)]
    """The share of the segment that is left alone, to know what would have happened without the campaign."""
    response_days: Annotated[StrictInt, Field(ge=1, le=730)]
    """How long after the launch an order counts as a response."""
    seed: StrictInt | Annotated[str, Field(max_length=100)] | None = None
    """Splits customers into arms; the same seed splits alike. The campaign's id if absent."""
    requires_consent: Code | None = None
    """Only customers who have agreed to this purpose on the channel are addressed or held out."""
    quiet_hours: QuietHours | None = None
    """By the customer's clock: whoever is to be contacted then is told of when they are over, if nothing is against it at that time.
    Left out: those that the service is set to for this channel; null: none.
    """

    def plan(self) -> Plan:
        return Plan(
            campaign_id=self.campaign_id,
            name=self.name,
            channel=self.channel,
            message=self.message,
            segment=self.segment.segment_id if isinstance(self.segment, Saved) else self.segment,
            control_share=self.control_share,
            response_days=self.response_days,
            seed=None if self.seed is None else str(self.seed),
            requires_consent=self.requires_consent,
            quiet_hours=self.quiet_hours if "quiet_hours" in self.model_fields_set else "usual",
        )


class CampaignView(BaseModel):
    campaign_id: str
    name: str
    channel: str
    message: str
    segment: dict[str, Any]
    segment_id: str | None
    control_share: float
    response_days: int
    seed: str
    requires_consent: str | None
    quiet_hours: QuietHours | None
    state: State
    created_at: datetime
    launched_at: datetime | None
    respond_until: datetime | None
    closed_at: datetime | None
    treated: int
    held_out: int
    contacted: int | None
    """Told to be contacted, each once. Null: launched before that was counted."""
    waiting: int
    """To be contacted once their quiet hours are over."""
    withheld: dict[Why, int]
    """Drawn to be contacted and not told, by the reason that was found when their time had come. In the effect they count as drawn."""


def view(campaign: Campaign) -> CampaignView:
    fields = campaign.model_dump()
    return CampaignView(segment=fields.pop("rule"), **fields)


async def shown(campaigning: Campaigning, campaign: Campaign) -> CampaignView:
    [counted] = await campaigning.counted([campaign])
    return view(counted)


def campaign_routes(
    campaigning: Campaigning,
    launching: Launching,
    looking: Looking,
    messaging: Messaging,
    discretion: Discretion,
    patience: float,
) -> APIRouter:
    """`patience`: seconds that a launch request waits for the launch to be over."""
    router = APIRouter(prefix="/v1/campaigns", tags=["campaigns"], dependencies=[TAKES_PURPOSE])
    planning(router, campaigning, messaging, discretion)
    carrying_out(router, campaigning, launching, messaging, patience)
    looking_back(router, campaigning, looking, discretion)
    return router


def planning(router: APIRouter, campaigning: Campaigning, messaging: Messaging, discretion: Discretion) -> None:
    @router.post("", status_code=201, response_model=CampaignView, dependencies=[TAKES_KEY])
    async def plan_campaign(request: Request, principal: Writer, new: NewCampaign) -> Response:
        """Plan a campaign: a draft, to be launched."""
        if not isinstance(new.segment, Saved):
            discretion.check(principal, written(new.segment), "body.segment")

        async def plan(unit: Unit) -> Answer:
            campaign = await campaigning.plan(new.plan(), unit.session)
            return Answer(201, view(campaign), {"location": f"/v1/campaigns/{campaign.campaign_id}"})

        try:
            return await idempotent(request, principal, messaging, plan)
        except UnknownSegment as unknown:
            raise Problem(422, "Invalid request", errors=[("body.segment.segment_id", str(unknown))]) from None

    @router.get("", dependencies=[Reader])
    async def list_campaigns(cursor: Cursor = None, limit: Limit = 100) -> Page[CampaignView]:
        """All campaigns, the newest first."""
        found = await campaigning.page(moment_and_place(cursor), limit + 1)
        items = await campaigning.counted(found[:limit])
        return Page(items=[view(one) for one in items], next=following(found, limit))

    @router.get("/{campaign_id}", dependencies=[Reader])
    async def get_campaign(campaign_id: str) -> CampaignView:
        return await shown(campaigning, await campaigning.get(campaign_id))


def carrying_out(
    router: APIRouter, campaigning: Campaigning, launching: Launching, messaging: Messaging, patience: float
) -> None:
    @router.post("/{campaign_id}/launch", dependencies=[Writing], responses={202: {"model": CampaignView}})
    async def launch_campaign(campaign_id: str, response: Response) -> CampaignView:
        """Draw the segment at this moment, split it into arms, and tell the channels.

        200 when all is told, 202 while a large campaign is under way; it goes on by itself. Launching again is safe:
        a campaign is drawn once.
        """

        async def begin(unit: Unit) -> None:
            await launching.begin(await campaigning.get(campaign_id, unit.session), unit.session)

        await messaging.transact(begin)
        launching.asked.set()
        campaign = await campaigning.settled(campaign_id, patience)
        response.status_code = 202 if campaign.state == "launching" else 200
        return await shown(campaigning, campaign)

    @router.post("/{campaign_id}/close", dependencies=[Writing])
    async def close_campaign(campaign_id: str) -> CampaignView:
        """End the response window now. A draft is given up. Closing again changes nothing."""

        async def close(unit: Unit) -> Campaign:
            return await campaigning.close(campaign_id, unit.session)

        return await shown(campaigning, await messaging.transact(close))


def following(found: list[Campaign], limit: int) -> str | None:
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return encode_moment(last.created_at, last.campaign_id)
