"""Contacts, put together. Run it with `uvicorn --factory services.contacts.main:create`."""

from fastapi import FastAPI

from services.contacts import api
from services.contacts.consumers import listen
from services.contacts.handlers import Handlers
from services.contacts.store import MongoStore
from shared.clock import clock
from shared.http import add_problems
from shared.messaging import duplicates
from shared.plumbing import Plumbing
from shared.settings import PlatformSettings


def create(settings: PlatformSettings | None = None) -> FastAPI:
    settings = settings or PlatformSettings()
    plumbing = Plumbing("contacts", settings)
    store = MongoStore(plumbing.database)
    handlers = Handlers(store, clock(settings, plumbing.database), duplicates.fresh)
    listen(plumbing.messaging, handlers)
    app = plumbing.app(
        title="Contacts",
        description="Who the customers are: people, organisations and households, their identifiers and consents.",
        routers=[api.contacts(handlers, store, plumbing.messaging), api.identities(handlers, plumbing.messaging)],
        prepare=[store.prepare],
    )
    add_problems(app, api.PROBLEMS)
    return app
