"""Which transactions are taken for orphans, and that a writer gets past one long before the server would end it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import Binary
from pymongo.errors import ConnectionFailure, OperationFailure

from shared import mongo, orphans
from shared.mongo import Client, Session
from shared.orphans import IDLE_SECONDS, Orphans
from shared.settings import PlatformSettings


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


class Server:
    def __init__(self, *documents: dict[str, Any]) -> None:
        self.documents = list(documents)
        self.ended: list[Any] = []
        self.away = False

    async def open_transactions(self) -> list[dict[str, Any]]:
        if self.away:
            raise ConnectionFailure
        return self.documents

    async def end_sessions(self, ids: list[Any]) -> None:
        self.ended += ids


def open_one(number: int = 1, worked: int = 50, application: str = "rapport-sync-1") -> dict[str, Any]:
    return {
        "appName": application,
        "lsid": {"id": Binary(bytes([number]) * 16)},
        "transaction": {"parameters": {"txnNumber": 1}, "timeActiveMicros": worked, "startWallClockTime": "now"},
    }


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(orphans, "time", made)
    return made


async def conflicts(server: Server, clock: Clock, seconds: float) -> None:
    met = Orphans(server)
    for _ in range(int(seconds * 10)):
        await met.conflict()
        clock.now += 0.1


async def test_what_does_nothing_for_long_enough_is_ended(clock: Clock) -> None:
    server = Server(open_one())
    await conflicts(server, clock, IDLE_SECONDS)
    assert server.ended == [], "not before"
    await conflicts(server, clock, IDLE_SECONDS + 1.5)
    assert server.ended[0] == Binary(b"\x01" * 16)


async def test_what_goes_on_working_is_left_alone(clock: Clock) -> None:
    server = Server(open_one())
    met = Orphans(server)
    for worked in range(100):
        server.documents = [open_one(worked=worked)]
        await met.conflict()
        clock.now += 0.3
    assert server.ended == []


async def test_transactions_of_other_programs_are_left_alone(clock: Clock) -> None:
    server = Server(open_one(application="payroll"), {"appName": "rapport-sync-1", "lsid": {"id": Binary(b"2" * 16)}})
    await conflicts(server, clock, 10)
    assert server.ended == []


async def test_a_server_that_cannot_be_asked_stops_nobody(clock: Clock) -> None:
    server = Server(open_one())
    server.away = True
    await conflicts(server, clock, 10)
    assert server.ended == []


@pytest.fixture
async def client(settings: PlatformSettings) -> AsyncIterator[Client]:
    made = mongo.connect(settings)
    await made.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 60})
    yield made
    await made.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 5})
    await mongo.close(made)


@pytest.mark.integration
async def test_a_writer_gets_past_the_transaction_of_one_that_sleeps(
    client: Client, settings: PlatformSettings
) -> None:
    things = client[f"{settings.namespace}orphans"]["things"]
    await things.insert_one({"_id": 1, "by": "nobody"})
    asleep = asyncio.Event()

    other = mongo.connect(settings)
    its_things = other[f"{settings.namespace}orphans"]["things"]

    async def sleeper(session: Session) -> None:
        await its_things.update_one({"_id": 1}, {"$set": {"by": "sleeper"}}, session=session)
        asleep.set()
        await asyncio.Event().wait()

    async def successor(session: Session) -> None:
        await things.update_one({"_id": 1}, {"$set": {"by": "successor"}}, session=session)

    sleeping = asyncio.create_task(mongo.transaction(other, sleeper))
    await asyncio.wait_for(asleep.wait(), 20)
    began = time.monotonic()
    await mongo.transaction(client, successor)
    assert time.monotonic() - began < mongo.TRANSACTION_SECONDS, "the server would have taken a minute"
    assert await things.find_one({"_id": 1}) == {"_id": 1, "by": "successor"}
    sleeping.cancel()
    with pytest.raises((asyncio.CancelledError, OperationFailure)):
        await sleeping
    await mongo.close(other)
