"""Composes the service: `uvicorn services.campaigns.main:create --factory`."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from services.campaigns.api import campaign_routes, explain, segment_routes
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
from shared.plumbing import Plumbing


def create(settings: CampaignSettings | None = None) -> FastAPI:
    settings = settings or CampaignSettings()
    plumbing = Plumbing("campaigns", settings)
    messaging, database = plumbing.messaging, plumbing.database
    profiles, segments = ProfileStore(database), SegmentStore(database)
    campaigns = CampaignStore(database, timedelta(seconds=settings.campaigns_lease_seconds))
    now = clock(settings, database)
    segmenting = Segmenting(segments, profiles, now)
    campaigning = Campaigning(campaigns, segments, profiles, now, settings.currency)
    launching = Launching(messaging, campaigns, profiles, now)
    listen(messaging, Following(profiles, now))
    app = plumbing.app(
        title="Campaigns",
        description="Segments, campaigns with control groups, and what the campaigns really did.",
        routers=[
            segment_routes(segmenting, messaging),
            campaign_routes(campaigning, launching, messaging, settings.campaigns_patience_seconds),
        ],
        prepare=[profiles.prepare, segments.prepare, campaigns.prepare],
        jobs=[partial(carry_launches_on, launching)],
    )
    explain(app)
    return app
