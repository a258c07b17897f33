"""A database of the campaigns service on a real MongoDB."""

from collections.abc import AsyncIterator

import pytest

from shared import mongo
from shared.mongo import Database
from shared.settings import PlatformSettings


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    client = mongo.connect(settings)
    yield client[f"{settings.namespace}rapport_campaigns"]
    await mongo.close(client)
