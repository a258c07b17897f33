"""Composes sync: `uvicorn --factory services.sync.main:create`."""

from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from services.sync import api
from services.sync.clients import SignedPost
from services.sync.consumers import listen
from services.sync.domain.delivery import SCHEDULE
from services.sync.domain.sensitive import Sensitive
from services.sync.handlers.channels import Channels
from services.sync.handlers.dispatch import Dispatch
from services.sync.handlers.erasing import ChannelErasures
from services.sync.handlers.keys import Keys
from services.sync.handlers.streams import Line
from services.sync.handlers.tail import ByHeart, Tail
from services.sync.handlers.views import Views
from services.sync.handlers.webhooks import Pace, Post
from services.sync.jobs import jobs
from services.sync.settings import SyncSettings
from services.sync.store import ChannelStore, DeliveryStore, KeyStore, TreeStore, ViewStore
from services.sync.store.erasing import steps
from services.sync.store.held import held
from services.sync.store.owing import OwedStore
from services.sync.store.rebuilding import RebuildStore
from shared.audit import AuditLog, audit_routes
from shared.erasing import Erasing, Terms
from shared.held import held_routes
from shared.http import add_problems
from shared.plumbing import Plumbing


def create(settings: SyncSettings | None = None) -> FastAPI:
    settings = settings or SyncSettings()
    plumbing = Plumbing("sync", settings)
    database, messaging = plumbing.database, plumbing.messaging
    views, trees, deliveries = ViewStore(database), TreeStore(database), DeliveryStore(database)
    kept_channels, kept_keys, trail = ChannelStore(database), KeyStore(database), AuditLog(database)

    allow_private = settings.sync_allow_private_webhooks
    channels = Channels(kept_channels, deliveries, views, now, allow_private=allow_private)
    courier = SignedPost(allow_private=allow_private, timeout=settings.sync_webhook_timeout, now=now)
    tail = Tail(views, settings.sync_poll_seconds)
    sensitive = Sensitive(settings.contacts_sensitive)
    changes = ByHeart(tail, views)
    post = Post(channels, changes, deliveries, courier, tail, messaging.transact, now, pace(settings), sensitive)
    line = Line(channels, changes, deliveries, tail, messaging.transact, now, sensitive=sensitive)
    dispatch = Dispatch(deliveries, post, owner=settings.instance, lease_seconds=settings.sync_lease_seconds)
    terms = Terms(timedelta(seconds=settings.erasure_settle_seconds))
    folding = Views(views, trees, now, tail)
    erasing = Erasing("sync", database, messaging, steps(views, deliveries, now), terms, forget=folding.forget)
    debts = OwedStore(database)
    told = ChannelErasures(debts, deliveries, channels.kind_of, messaging.transact, now)
    listen(messaging, erasing.beside(folding.fold))
    app = plumbing.app(
        title="Sync",
        description="The single view of each customer, and the channels that are told about it.",
        routers=[
            held_routes(held(database), trail),
            audit_routes(trail),
            api.customers(views, sensitive, trail),
            api.channels(api.ChannelRoutes(channels, views, deliveries, dispatch, messaging)),
            api.streams(line),
            api.erasures(told, messaging),
            api.keys(Keys(kept_keys, now), kept_keys, messaging),
        ],
        prepare=[
            views.prepare,
            trees.prepare,
            deliveries.prepare,
            kept_channels.prepare,
            kept_keys.prepare,
            erasing.prepare,
            debts.prepare,
            trail.prepare,
            courier.open,
            RebuildStore(database).require_whole,  # last, because whatever is closed then must have been opened
        ],
        jobs=[*jobs(tail, dispatch), erasing.carry_out, told.follow],
        close=[courier.close],
    )
    add_problems(app, api.PROBLEMS)
    return app


def now() -> datetime:
    """The wall's time, also while history is played: deliveries happen now."""
    return datetime.now(UTC)


def pace(settings: SyncSettings) -> Pace:
    return Pace(
        batch=settings.sync_webhook_batch,
        concurrency=settings.sync_webhook_concurrency,
        timeout=settings.sync_webhook_timeout,
        schedule=settings.sync_retry_schedule or SCHEDULE,
        first_pause=settings.sync_first_pause,
        longest_pause=settings.sync_longest_pause,
    )
