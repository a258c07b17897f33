"""A connection to the database that leads to nobody: whoever waits on it is told, and the next question is answered."""

from __future__ import annotations

import asyncio

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from shared import mongo
from shared.settings import PlatformSettings
from tests.torture.proxy import Link, Weather
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(
    settings: PlatformSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "SOCKET_TIMEOUT_MS", 1_000)
    with MongoClient[dict[str, object]](settings.mongo_url) as plain:
        plain.admin.command("ping")
        address = plain.address
    assert address is not None
    link = await Link("test>mongo", [address]).open()
    client = mongo.connect(
        settings.model_copy(update={"mongo_url": f"mongodb://127.0.0.1:{link.port}/?directConnection=true"})
    )
    things = client[f"{settings.namespace}halfopen"]["things"]
    try:
        await things.insert_one({"_id": 1})
        link.turn(up=Weather(cut=True), down=Weather(cut=True))
        with pytest.raises(PyMongoError) as given_up:
            async with asyncio.timeout(30):
                await things.find_one({"_id": 1})
        assert mongo.transient(given_up.value)
        await link.calm()

        async def answered() -> bool:
            try:
                return await things.find_one({"_id": 1}) == {"_id": 1}
            except PyMongoError:
                return False

        await eventually(answered)
    finally:
        await mongo.close(client)
        await link.close()
