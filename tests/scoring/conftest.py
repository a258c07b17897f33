"""The service on real servers."""

from collections.abc import AsyncIterator

import pytest

from shared import mongo
from shared.mongo import Database
from shared.settings import PlatformSettings
from tests.scoring.instances import Instance
from tests.scoring.service import Scoring, two_instances


@pytest.fixture
async def scoring(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[Scoring]:
    async with two_instances(settings, topics, batch_records=200) as service:
        yield service


@pytest.fixture
async def database(settings: PlatformSettings) -> AsyncIterator[Database]:
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_scoring"]
    yield database
    await client.drop_database(database)
    await mongo.close(client)


@pytest.fixture
async def one(settings: PlatformSettings) -> AsyncIterator[Instance]:
    client = mongo.connect(settings)
    instance = Instance(client, client[f"{settings.namespace}rapport_scoring"])
    await instance.prepare()
    yield instance
    await client.drop_database(instance.database)
    await mongo.close(client)


@pytest.fixture
def other(one: Instance) -> Instance:
    return Instance(one.client, one.database)
