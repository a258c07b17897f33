"""Both drivers behave alike behind the adapter: transactions, their retries, pipelines, change streams, the whole core."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Literal

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
)

from shared import mongo
from shared.contracts.channels import INBOUND
from shared.contracts.interactions import SALES
from shared.messaging import Messaging, Subscription
from shared.messaging.received import Received
from shared.messaging.unit import Unit
from shared.mongo import Client, Database, Session
from shared.settings import PlatformSettings
from tests.messaging.records import placed, reported
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:.*[Mm]otor.*:DeprecationWarning")]


@pytest.fixture(params=["pymongo", "motor"])
async def client(request: pytest.FixtureRequest, settings: PlatformSettings) -> AsyncIterator[Client]:
    driver: Literal["pymongo", "motor"] = request.param
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        made = mongo.connect(settings.model_copy(update={"mongo_driver": driver}))
    yield made
    await mongo.close(made)


@pytest.fixture
async def database(client: Client, settings: PlatformSettings) -> Database:
    found = client[f"{settings.namespace}adapter"]
    await found.create_collection("things")
    return found


async def names(database: Database) -> set[str]:
    return {document["_id"] async for document in database["things"].find()}


async def test_instances_that_start_together_all_find_the_collections_made(client: Client, database: Database) -> None:
    names = [f"made{number}" for number in range(20)]
    await asyncio.gather(*(mongo.ensure_collections(database, names) for _ in range(4)))
    assert set(names) <= set(await database.list_collection_names())


async def test_a_transaction_commits_all_and_returns_what_its_change_returned(
    client: Client, database: Database
) -> None:
    async def change(session: Session) -> int:
        await database["things"].insert_one({"_id": "a"}, session=session)
        await database["things"].insert_one({"_id": "b"}, session=session)
        assert await names(database) == set(), "nobody sees it before the commit"
        return 7

    assert await mongo.transaction(client, change) == 7
    assert await names(database) == {"a", "b"}


async def test_an_error_rolls_everything_back(client: Client, database: Database) -> None:
    async def change(session: Session) -> None:
        await database["things"].insert_one({"_id": "a"}, session=session)
        raise KeyError

    with pytest.raises(KeyError):
        await mongo.transaction(client, change)
    assert await names(database) == set()


async def test_a_cancelled_change_rolls_back_and_leaves_no_lock(client: Client, database: Database) -> None:
    entered = asyncio.Event()

    async def change(session: Session) -> None:
        await database["things"].insert_one({"_id": "a"}, session=session)
        entered.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(mongo.transaction(client, change))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await database["things"].insert_one({"_id": "a"})
    assert await names(database) == {"a"}


async def test_a_write_conflict_is_tried_again(client: Client, database: Database) -> None:
    await database["things"].insert_one({"_id": "a", "n": 0})
    attempts = 0

    async def change(session: Session) -> None:
        nonlocal attempts
        attempts += 1
        await database["things"].find_one({"_id": "a"}, session=session)
        if attempts < 3:
            await database["things"].update_one({"_id": "a"}, {"$inc": {"n": 1}})  # somebody else is faster
        await database["things"].update_one({"_id": "a"}, {"$inc": {"n": 10}}, session=session)

    await mongo.transaction(client, change)
    found = await database["things"].find_one({"_id": "a"})
    assert found is not None
    assert (attempts, found["n"]) == (3, 12)


async def test_a_conflict_that_never_ends_is_told_to_the_caller(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo, "TRANSACTION_SECONDS", 0.3)
    await database["things"].insert_one({"_id": "a", "n": 0})

    async def change(session: Session) -> None:
        await database["things"].find_one({"_id": "a"}, session=session)
        await database["things"].update_one({"_id": "a"}, {"$inc": {"n": 1}})
        await database["things"].update_one({"_id": "a"}, {"$inc": {"n": 10}}, session=session)

    with pytest.raises(PyMongoError) as caught:
        await mongo.transaction(client, change)
    assert mongo.transient(caught.value)


async def test_a_transaction_that_the_server_has_ended_for_its_age_may_be_tried_again(
    client: Client, database: Database
) -> None:
    await database["things"].insert_many([{"_id": number, "n": 0} for number in range(50_000)])
    limit = {"setParameter": 1, "transactionLifetimeLimitSeconds": 1}
    before = (await client.admin.command(limit))["was"]
    try:
        with pytest.raises(PyMongoError) as caught:
            await mongo.transaction(client, partial(too_slow, database))
    finally:
        await client.admin.command({**limit, "transactionLifetimeLimitSeconds": before})
    assert mongo.transient(caught.value)
    assert isinstance(caught.value, OperationFailure)
    assert caught.value.code == 290
    assert not caught.value.has_error_label("TransientTransactionError")


async def too_slow(database: Database, session: Session) -> None:
    """The server ends it in the middle of a write."""
    while True:
        await database["things"].update_many({}, {"$inc": {"n": 1}}, session=session)


async def test_many_writers_of_one_document_all_count(client: Client, database: Database) -> None:
    await database["things"].insert_one({"_id": "a", "n": 0})

    async def change(session: Session) -> None:
        await database["things"].update_one({"_id": "a"}, {"$inc": {"n": 1}}, session=session)

    await asyncio.gather(*(mongo.transaction(client, change) for _ in range(20)))
    found = await database["things"].find_one({"_id": "a"})
    assert found is not None
    assert found["n"] == 20


class Uncertain:
    """A session whose first commits lose the answer."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.commits = 0

    async def commit_transaction(self) -> None:
        self.commits += 1
        if self.commits <= self.lost:
            error = AutoReconnect("no answer")
            error._add_error_label("UnknownTransactionCommitResult")
            raise error


async def test_a_commit_without_an_answer_is_asked_for_again() -> None:
    session: Any = Uncertain(2)
    await mongo._commit(session, deadline=float("inf"))
    assert session.commits == 3


async def test_a_commit_that_never_answers_is_told_to_the_caller() -> None:
    session: Any = Uncertain(10**9)
    with pytest.raises(AutoReconnect):
        await mongo._commit(session, deadline=0)


async def test_a_pipeline_gives_all_its_documents(client: Client, database: Database) -> None:
    await database["things"].insert_many([{"_id": n, "even": n % 2 == 0} for n in range(300)])
    found = await mongo.aggregate(database["things"], [{"$group": {"_id": "$even", "n": {"$sum": 1}}}])
    assert {d["_id"]: d["n"] for d in found} == {True: 150, False: 150}
    assert len(await mongo.aggregate(database["things"], [])) == 300


async def test_a_change_stream_sees_what_is_inserted(client: Client, database: Database) -> None:
    async with await mongo.watch(database["things"], [], max_await_time_ms=200) as stream:
        assert await stream.try_next() is None
        await database["things"].insert_one({"_id": "a"})
        change = await eventually(stream.try_next)
        assert change is not None
        assert change["fullDocument"] == {"_id": "a"}
        assert stream.resume_token


async def test_the_core_runs_on_this_driver(
    client: Client, database: Database, settings: PlatformSettings, topics: dict[str, int]
) -> None:
    heard: list[Received] = []

    async def order(unit: Unit, events: Any) -> None:
        for event in events:
            unit.forward(placed(int(event.id[1:])))

    async def keep(unit: Unit, events: Any) -> None:
        heard.extend(events)

    service = Messaging("adapter", settings, client, database)
    service.listen(Subscription("orders", (INBOUND,), order))
    service.listen(Subscription("audit", (SALES,), keep))
    await service.start()
    try:
        await eventually(lambda: service._connected)
        await service.send([reported(n) for n in range(500)])
        await eventually(lambda: len(heard) >= 500)
        await eventually(lambda: _empty(database))
        assert [event.id for event in heard] == [f"e{n}" for n in range(500)]
    finally:
        await service.stop()


async def _empty(database: Database) -> bool:
    return await database["outbox"].count_documents({}) == 0


def labelled(error: PyMongoError, label: str) -> PyMongoError:
    error._add_error_label(label)
    return error


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("away"),
        NetworkTimeout("slow"),
        ConnectionFailure("away"),
        OperationFailure("conflict", mongo.WRITE_CONFLICT),
        labelled(OperationFailure("gone", 251), "TransientTransactionError"),
        labelled(OperationFailure("unknown"), "UnknownTransactionCommitResult"),
        OperationFailure("the transaction exceeded the configured 'transactionLifetimeLimitSeconds'", 290),
        OperationFailure("Read concern majority reads are currently not possible.", 134),
    ],
)
def test_what_passes_by_itself_is_transient(error: PyMongoError) -> None:
    assert mongo.transient(error)


@pytest.mark.parametrize(
    "error", [DuplicateKeyError("twice", 11000), BulkWriteError({}), OperationFailure("bad value", 2), KeyError()]
)
def test_what_is_somebodys_mistake_is_not(error: Exception) -> None:
    assert not mongo.transient(error)
