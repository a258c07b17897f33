"""A running service, and its database, for the tests that need the real ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from services.contacts.main import create
from services.contacts.settings import ContactSettings
from services.contacts.store import MongoStore
from shared import mongo
from shared.mongo import Database
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.web import serving


@asynccontextmanager
async def contacts(settings: PlatformSettings, **own: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """The service, asked with a key that may do all. `own`: settings of its own.

    Tests wait for duplicates, also on a machine that has no CPU time left, where a quarter of a core would become a fortieth.
    """
    _, key, sha256 = new_key()
    given = settings.model_dump() | {"admin_key_sha256": sha256, "contacts_matching_share": 1.0} | own
    app = create(ContactSettings(**given))
    async with serving(app, key=key) as session:
        yield session


@asynccontextmanager
async def contacts_database(settings: PlatformSettings) -> AsyncIterator[Database]:
    """Its database, with the collections and indexes of contacts."""
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_contacts"]
    await MongoStore(database).prepare()
    yield database
    await mongo.close(client)
