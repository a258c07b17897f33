"""Contacts, put together. Run it with `uvicorn --factory services.contacts.main:create`."""

from functools import partial

from fastapi import FastAPI

from services.contacts import api
from services.contacts.consumers import listen
from services.contacts.handlers import Handlers
from services.contacts.handlers.measuring import Measuring
from services.contacts.jobs import make_findable, measure_quality
from services.contacts.settings import ContactSettings
from services.contacts.store import MongoStore, QualityStore
from shared.clock import clock
from shared.http import add_problems
from shared.messaging import duplicates
from shared.plumbing import Plumbing


def create(settings: ContactSettings | None = None) -> FastAPI:
    settings = settings or ContactSettings()
    plumbing = Plumbing("contacts", settings)
    store = MongoStore(plumbing.database)
    reports, now = QualityStore(plumbing.database), clock(settings, plumbing.database)
    country = settings.contacts_country
    handlers = Handlers(store, now, duplicates.fresh, country)
    measuring = Measuring(reports, now, settings.instance, settings.contacts_quality_share, country)
    listen(plumbing.messaging, handlers)
    app = plumbing.app(
        title="Contacts",
        description="Who the customers are: people, organisations and households, their identifiers, consents and quality.",
        routers=[
            api.quality(measuring),
            api.contacts(handlers, store, plumbing.messaging),
            api.identities(handlers, plumbing.messaging),
        ],
        prepare=[store.prepare, reports.prepare],
        jobs=[partial(measure_quality, measuring), partial(make_findable, store.make_findable)],
    )
    add_problems(app, api.PROBLEMS)
    return app
