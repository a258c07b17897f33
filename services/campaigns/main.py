"""Composes the service: `uvicorn --factory services.campaigns.main:create`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial

from fastapi import APIRouter, FastAPI

from services.campaigns.api import PROBLEMS, Discretion, campaign_routes, segment_routes
from services.campaigns.consumers import listen
from services.campaigns.domain.quiet import zone_of
from services.campaigns.handlers.campaigns import Campaigning
from services.campaigns.handlers.handing import Handing, Waiting
from services.campaigns.handlers.holding import Holding
from services.campaigns.handlers.launching import Launching
from services.campaigns.handlers.looking import Looking
from services.campaigns.handlers.persons import Persons
from services.campaigns.handlers.profiles import Following
from services.campaigns.handlers.segments import Segmenting
from services.campaigns.jobs import carry_launches_on, hand_over_when_due
from services.campaigns.settings import CampaignSettings
from services.campaigns.store.campaigns import CampaignStore
from services.campaigns.store.erasing import steps
from services.campaigns.store.held import held
from services.campaigns.store.profiles import ProfileStore
from services.campaigns.store.segments import SegmentStore
from shared.audit import AuditLog, audit_routes
from shared.clock import clock
from shared.erasing import Erasing, Terms
from shared.held import held_routes
from shared.http import add_problems
from shared.links import LinkStore
from shared.messaging import Messaging
from shared.mongo import Database
from shared.plumbing import Plumbing


@dataclass(frozen=True)
class Parts:
    """The service's own parts, put together."""

    following: Following
    launching: Launching
    waiting: Waiting
    routers: list[APIRouter]
    prepare: list[Callable[[], Awaitable[None]]]


def compose(settings: CampaignSettings, messaging: Messaging, database: Database) -> Parts:
    profiles, segments, links = ProfileStore(database), SegmentStore(database), LinkStore(database)
    campaigns = CampaignStore(database, timedelta(seconds=settings.campaigns_lease_seconds))
    now = clock(settings, database)
    handing = Handing(campaigns, profiles, now, zone_of(settings.campaigns_time_zone, UTC))
    holding = Holding(campaigns, links, handing, now)
    segmenting = Segmenting(segments, profiles, now)
    persons = Persons(campaigns, profiles, links)
    campaigning = Campaigning(campaigns, segments, persons, now, settings.currency, settings.campaigns_quiet_hours)
    looking = Looking(campaigns, persons, profiles)
    launching = Launching(messaging, campaigns, profiles, holding, now)
    trail = AuditLog(database)
    discretion = Discretion(trail, settings.contacts_sensitive)
    return Parts(
        following=Following(profiles, links, holding, now),
        launching=launching,
        waiting=Waiting(messaging, campaigns, handing, now),
        routers=[
            segment_routes(segmenting, messaging, discretion),
            campaign_routes(
                campaigning, launching, looking, messaging, discretion, settings.campaigns_patience_seconds
            ),
            held_routes(held(database), trail),
            audit_routes(trail),
        ],
        prepare=[profiles.prepare, links.prepare, segments.prepare, campaigns.prepare, trail.prepare],
    )


def create(settings: CampaignSettings | None = None) -> FastAPI:
    settings = settings or CampaignSettings()
    plumbing = Plumbing("campaigns", settings)
    parts = compose(settings, plumbing.messaging, plumbing.database)
    terms = Terms(timedelta(seconds=settings.erasure_settle_seconds))
    erasing = Erasing("campaigns", plumbing.database, plumbing.messaging, steps(parts.following), terms)
    parts.following.erased = erasing.tombstones.among
    listen(plumbing.messaging, parts.following, erasing)
    app = plumbing.app(
        title="Campaigns",
        description="Segments, campaigns with control groups, and what the campaigns really did.",
        routers=parts.routers,
        prepare=[*parts.prepare, erasing.prepare],
        jobs=[
            partial(carry_launches_on, parts.launching),
            partial(hand_over_when_due, parts.waiting),
            erasing.carry_out,
        ],
    )
    add_problems(app, PROBLEMS)
    return app
