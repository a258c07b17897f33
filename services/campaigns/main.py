"""Composes the service: `uvicorn --factory services.campaigns.main:create`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from fastapi import APIRouter, FastAPI

from services.campaigns.api import PROBLEMS, campaign_routes, segment_routes
from services.campaigns.consumers import listen
from services.campaigns.handlers.campaigns import Campaigning
from services.campaigns.handlers.launching import Launching
from services.campaigns.handlers.profiles import Following
from services.campaigns.handlers.segments import Segmenting
from services.campaigns.jobs import carry_launches_on
from services.campaigns.settings import CampaignSettings
from services.campaigns.store.campaigns import CampaignStore
from services.campaigns.store.profiles import ProfileStore
from services.campaigns.store.segments import SegmentStore
from shared.clock import clock
from shared.http import add_problems
from shared.messaging import Messaging
from shared.mongo import Database
from shared.plumbing import Plumbing


@dataclass(frozen=True)
class Parts:
    """The service's own parts, put together."""

    following: Following
    launching: Launching
    routers: list[APIRouter]
    prepare: list[Callable[[], Awaitable[None]]]


def compose(settings: CampaignSettings, messaging: Messaging, database: Database) -> Parts:
    profiles, segments = ProfileStore(database), SegmentStore(database)
    campaigns = CampaignStore(database, timedelta(seconds=settings.campaigns_lease_seconds))
    now = clock(settings, database)
    segmenting = Segmenting(segments, profiles, now)
    campaigning = Campaigning(campaigns, segments, profiles, now, settings.currency)
    launching = Launching(messaging, campaigns, profiles, now)
    return Parts(
        following=Following(profiles, now),
        launching=launching,
        routers=[
            segment_routes(segmenting, messaging),
            campaign_routes(campaigning, launching, messaging, settings.campaigns_patience_seconds),
        ],
        prepare=[profiles.prepare, segments.prepare, campaigns.prepare],
    )


def create(settings: CampaignSettings | None = None) -> FastAPI:
    settings = settings or CampaignSettings()
    plumbing = Plumbing("campaigns", settings)
    parts = compose(settings, plumbing.messaging, plumbing.database)
    listen(plumbing.messaging, parts.following)
    app = plumbing.app(
        title="Campaigns",
        description="Segments, campaigns with control groups, and what the campaigns really did.",
        routers=parts.routers,
        prepare=parts.prepare,
        jobs=[partial(carry_launches_on, parts.launching)],
    )
    add_problems(app, PROBLEMS)
    return app
