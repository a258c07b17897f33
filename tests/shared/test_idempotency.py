"""The same write sent twice, at once or later, happens once."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import aiohttp
import pytest
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from shared import mongo
from shared.contracts.sync import KeyIssued
from shared.http import Problem, create_app
from shared.idempotency import COLLECTION, TAKES_KEY, Answer, idempotent, prepare
from shared.messaging import Messaging, Unit
from shared.security import KeyTable, Principal, new_key, require
from shared.settings import PlatformSettings
from tests.shared.test_http import Healthy
from tests.shared.test_security import NOW
from tests.web import serving

pytestmark = pytest.mark.integration


class Booking(BaseModel):
    seat: str


class Booked(BaseModel):
    number: int


@pytest.fixture
async def messaging(settings: PlatformSettings) -> AsyncIterator[Messaging]:
    """The core, not started: transactions need no broker."""
    client = mongo.connect(settings)
    database = client[f"{settings.namespace}rapport_bookings"]
    await prepare(database)
    yield Messaging("bookings", settings, client, database)
    await mongo.close(client)


def bookings(messaging: Messaging) -> APIRouter:
    router = APIRouter()
    seats = messaging.database["seats"]

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

        return await idempotent(request, principal, messaging, change)

    return router


@pytest.fixture
async def client(messaging: Messaging) -> AsyncIterator[aiohttp.ClientSession]:
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
        routers=[bookings(messaging)],
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
    client: aiohttp.ClientSession, messaging: Messaging
) -> None:
    first = await book(client, "1A", "k1")
    assert first == (201, {"number": 1}, "/v1/bookings/1")
    assert await book(client, "1A", "k1") == first
    assert await messaging.database["seats"].count_documents({}) == 1


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
    client: aiohttp.ClientSession, messaging: Messaging
) -> None:
    answers = await asyncio.gather(*(book(client, "1A", "k1") for _ in range(8)))
    assert answers == [(201, {"number": 1}, "/v1/bookings/1")] * 8
    assert await messaging.database["seats"].count_documents({}) == 1


async def test_a_refused_write_may_be_tried_again_under_its_key(
    client: aiohttp.ClientSession, messaging: Messaging
) -> None:
    assert (await book(client, "broken", "k1"))[0] == 409
    assert await messaging.database[COLLECTION].count_documents({}) == 0
    assert (await book(client, "1A", "k1"))[0] == 201


@pytest.mark.parametrize("key", ["with space", "x" * 201])
async def test_a_malformed_key_is_refused_by_name(client: aiohttp.ClientSession, key: str) -> None:
    status, body, _ = await book(client, "1A", key)
    assert status == 422
    assert body["errors"][0]["field"] == "header.Idempotency-Key"


async def test_answers_are_forgotten_by_an_index(messaging: Messaging) -> None:
    indexes = await messaging.database[COLLECTION].index_information()
    assert indexes["expires_at_1"]["expireAfterSeconds"] == 0
