"""The same write sent twice, at once or later, happens once."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import aiohttp
import pytest
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

from shared.contracts.sync import KeyIssued
from shared.http import Problem, create_app
from shared.idempotency import COLLECTION, TAKES_KEY, Answer, idempotent, prepare
from shared.security import KeyTable, Principal, new_key, require
from tests.shared.test_http import Healthy
from tests.shared.test_security import NOW
from tests.web import serving

pytestmark = pytest.mark.integration
T = TypeVar("T")


@dataclass
class Unit:
    session: AsyncClientSession


@dataclass
class Transactions:
    database: AsyncDatabase[dict[str, Any]]

    async def transact(self, change: Callable[[Any], Awaitable[T]]) -> T:
        async with self.database.client.start_session() as session:
            return await session.with_transaction(lambda running: change(Unit(running)))


class Booking(BaseModel):
    seat: str


class Booked(BaseModel):
    number: int


@pytest.fixture
async def transactions() -> AsyncIterator[Transactions]:
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URL"], tz_aware=True) as client:
        database = client[f"rapport_test_{secrets.token_hex(6)}"]
        await prepare(database)
        yield Transactions(database)
        await client.drop_database(database)


def bookings(transactions: Transactions) -> APIRouter:
    router = APIRouter()
    seats = transactions.database["seats"]

    @router.post("/v1/bookings", dependencies=[TAKES_KEY])
    async def book(
        booking: Booking, request: Request, principal: Annotated[Principal, Depends(require("bookings:write"))]
    ) -> Response:
        async def change(unit: Unit) -> Answer:
            if booking.seat == "broken":
                raise Problem(409, "Broken seat")
            await seats.insert_one({"seat": booking.seat}, session=unit.session)
            number = await seats.count_documents({}, session=unit.session)
            return Answer(201, Booked(number=number), {"location": f"/v1/bookings/{number}"})

        return await idempotent(request, principal, transactions, change)

    return router


@pytest.fixture
async def client(transactions: Transactions) -> AsyncIterator[aiohttp.ClientSession]:
    keys = KeyTable()
    tokens = []
    for _ in range(2):
        key_id, token, sha256 = new_key()
        tokens.append(token)
        keys.apply(
            KeyIssued(
                key_id=key_id, name="s", kind="service", scopes=["bookings:write"], secret_sha256=sha256, issued_at=NOW
            )
        )
    app = create_app(
        title="t",
        description="d",
        version="1",
        lifespan=None,
        routers=[bookings(transactions)],
        keys=keys,
        health=Healthy(),
    )
    async with serving(app, key=tokens[0]) as session:
        session.headers["x-other"] = tokens[1]
        yield session


async def book(
    client: aiohttp.ClientSession, seat: str, key: str | None, **headers: str
) -> tuple[int, Any, str | None]:
    given = headers | ({"idempotency-key": key} if key else {})
    async with client.post("/v1/bookings", json={"seat": seat}, headers=given) as response:
        return response.status, await response.json(content_type=None), response.headers.get("location")


async def test_the_same_write_again_changes_nothing_and_gets_the_same_answer(
    client: aiohttp.ClientSession, transactions: Transactions
) -> None:
    first = await book(client, "1A", "k1")
    assert first == (201, {"number": 1}, "/v1/bookings/1")
    assert await book(client, "1A", "k1") == first
    assert await transactions.database["seats"].count_documents({}) == 1


async def test_without_a_key_each_write_counts(client: aiohttp.ClientSession) -> None:
    assert [(await book(client, "1A", None))[1] for _ in range(2)] == [{"number": 1}, {"number": 2}]


async def test_another_request_under_a_used_key_is_refused(client: aiohttp.ClientSession) -> None:
    await book(client, "1A", "k1")
    status, body, _ = await book(client, "2B", "k1")
    assert status == 422
    assert body["errors"][0]["field"] == "header.Idempotency-Key"


async def test_two_callers_may_use_the_same_key(client: aiohttp.ClientSession) -> None:
    await book(client, "1A", "k1")
    other = f"Bearer {client.headers['x-other']}"
    assert (await book(client, "2B", "k1", authorization=other))[1] == {"number": 2}


async def test_of_many_at_once_one_wins_and_all_get_its_answer(
    client: aiohttp.ClientSession, transactions: Transactions
) -> None:
    answers = await asyncio.gather(*(book(client, "1A", "k1") for _ in range(8)))
    assert answers == [(201, {"number": 1}, "/v1/bookings/1")] * 8
    assert await transactions.database["seats"].count_documents({}) == 1


async def test_a_refused_write_may_be_tried_again_under_its_key(
    client: aiohttp.ClientSession, transactions: Transactions
) -> None:
    assert (await book(client, "broken", "k1"))[0] == 409
    assert await transactions.database[COLLECTION].count_documents({}) == 0
    assert (await book(client, "1A", "k1"))[0] == 201


@pytest.mark.parametrize("key", ["with space", "x" * 201])
async def test_a_malformed_key_is_refused_by_name(client: aiohttp.ClientSession, key: str) -> None:
    status, body, _ = await book(client, "1A", key)
    assert status == 422
    assert body["errors"][0]["field"] == "header.Idempotency-Key"


async def test_answers_are_forgotten_by_an_index(transactions: Transactions) -> None:
    indexes = await transactions.database[COLLECTION].index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
