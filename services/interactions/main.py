"""Interactions, put together. Run it with `uvicorn --factory services.interactions.main:create`."""

from datetime import timedelta
from functools import partial

from fastapi import FastAPI
from redis.asyncio import Redis

from services.interactions import api
from services.interactions.clients import Contacts, IdentityCache
from services.interactions.consumers import listen
from services.interactions.handlers.dead_letters import DeadLetters
from services.interactions.handlers.gateway import Gateway
from services.interactions.handlers.identities import Identities, Memory
from services.interactions.handlers.merging import Merging
from services.interactions.handlers.recording import Recording
from services.interactions.handlers.rounds import Rounds
from services.interactions.settings import Settings
from services.interactions.store import DeadLetterStore, HistoryStore, erasing as emptying
from shared.audit import AuditLog, audit_routes
from shared.erasing import Erasing, Terms
from shared.held import held_routes
from shared.http import add_problems
from shared.links import LinkStore
from shared.plumbing import Plumbing

REDIS_PATIENCE = 0.5
"""Seconds. A cache that takes longer is no help."""


def create(settings: Settings | None = None) -> FastAPI:
    settings = settings or Settings()
    plumbing = Plumbing("interactions", settings)
    history, shelf = HistoryStore(plumbing.database), DeadLetterStore(plumbing.database)
    links, trail = LinkStore(plumbing.database), AuditLog(plumbing.database)

    redis = Redis.from_url(settings.redis_url, socket_timeout=REDIS_PATIENCE, socket_connect_timeout=REDIS_PATIENCE)
    contacts = Contacts(settings.contacts_url, settings.internal_key)
    cache = IdentityCache(redis, settings.namespace, settings.identity_cache_seconds)
    sales = settings.kept_sales
    terms = Terms(timedelta(seconds=settings.erasure_settle_seconds), emptying.kept(sales))
    steps = [*emptying.steps(plumbing.database, contacts.traces, sales), emptying.Cached(cache.forget)]
    erasing = Erasing("interactions", plumbing.database, plumbing.messaging, steps, terms)
    memory = Memory(settings.identity_memory_size)
    identities = Identities(contacts, cache, memory, erasing.tombstones.among)

    recording = Recording(history, identities, settings.currency)
    dead_letters = DeadLetters(shelf)
    gateway = Gateway(Rounds(plumbing.messaging), settings.currency)
    listen(plumbing.messaging, recording, dead_letters, Merging(links, erasing.tombstones.among), erasing)

    app = plumbing.app(
        title="Interactions",
        description="What happened between customers and company: events in, the history, orders, dead letters.",
        routers=[
            api.events(gateway),
            held_routes(api.held(history), trail),
            audit_routes(trail),
            api.history(history, links, settings.currency),
            api.dead_letters(shelf, dead_letters, plumbing.messaging),
        ],
        prepare=[
            history.prepare,
            shelf.prepare,
            links.prepare,
            partial(emptying.prepare, plumbing.database),
            erasing.prepare,
            trail.prepare,
            contacts.open,
        ],
        jobs=[erasing.carry_out],
        close=[contacts.close, redis.aclose],
    )
    add_problems(app, api.PROBLEMS)
    app.openapi_tags = [*api.TAGS, *(app.openapi_tags or [])]
    return app
