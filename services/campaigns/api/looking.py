"""What a launched campaign did, over HTTP: to whom, how far it is with contacting them, and with which effect."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.campaigns.api.discretion import Discretion
from services.campaigns.api.segments import Asker, Reader
from services.campaigns.domain.campaign import Arm
from services.campaigns.domain.findings import Effect
from services.campaigns.domain.handover import Why
from services.campaigns.handlers.campaigns import Campaigning
from services.campaigns.handlers.looking import KeptBack, Looking, Seen, Standing
from shared.contracts.parties import is_empty
from shared.http import Cursor, Limit, Page, encode_cursor, text_of


def _is_none(value: object) -> bool:
    return value is None


class CustomerView(BaseModel):
    """A customer of a campaign, and what they bought within the response window."""

    customer_id: str
    arm: Arm
    restricted: Annotated[bool, Field(exclude_if=is_empty)] = False
    """What is known of them, or of somebody who is the same person, must not be used at present. Absent: it may."""
    orders: int | None
    """Null: restricted."""
    revenue: Decimal | None
    """Null: restricted."""
    counted_with: Annotated[str | None, Field(exclude_if=_is_none)] = None
    """The customer of the campaign who was found to be the same person: all that both bought is there. Absent: themselves."""
    standing: Standing
    """How far it is with contacting them: `held-out`, drawn to be left alone; `untold`, the launch has not come to them yet."""
    waiting_until: Annotated[datetime | None, Field(exclude_if=_is_none)] = None
    """When their quiet hours are over: they are told of then, if nothing is against it. Absent: they do not wait."""
    withheld: Annotated[Why | None, Field(exclude_if=_is_none)] = None
    """Why they are not told. Absent: they are not withheld."""


def customer_view(one: Seen) -> CustomerView:
    kept_back = {"standing": one.standing, "waiting_until": one.waiting_until, "withheld": one.withheld}
    response = one.response._asdict()
    if one.restricted:
        response |= {"orders": None, "revenue": None}
    return CustomerView(**response, **kept_back, restricted=one.restricted)


def looking_back(router: APIRouter, campaigning: Campaigning, looking: Looking, discretion: Discretion) -> None:
    @router.get("/{campaign_id}/customers")
    async def list_customers(
        principal: Asker,
        campaign_id: str,
        arm: Arm | None = None,
        standing: KeptBack | None = None,
        cursor: Cursor = None,
        limit: Limit = 100,
    ) -> Page[CustomerView]:
        """Who is in the campaign, in which arm, what they bought since, and whether they were contacted; by customer id.

        `standing`: only those who wait, or only those who are withheld. Who is in a campaign has what its segment asks for: if
        that is sensitive, they are shown to keys with `contacts:sensitive`. What somebody restricted bought is not told.
        """
        rule = (await campaigning.get(campaign_id)).rule
        discretion.check(principal, rule, "path.campaign_id")
        found = await looking.customers(campaign_id, text_of(cursor, "after"), limit + 1, arm, standing)
        last = found[:limit][-1].response.customer_id if len(found) > limit else None
        items = [customer_view(one) for one in found[:limit]]
        await discretion.note("campaign", principal, rule, [one.customer_id for one in items])
        return Page(items=items, next=last and encode_cursor({"after": last}))

    @router.get("/{campaign_id}/effect", dependencies=[Reader])
    async def get_effect(campaign_id: str) -> Effect:
        """What the campaign did: its treated customers against those left alone, with 95 % intervals, and in words."""
        return await campaigning.effect(campaign_id)
