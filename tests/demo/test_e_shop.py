"""The e-shop takes what is signed, once, in the newest version."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from standardwebhooks import Webhook

from demo.copies import read
from demo.e_shop import create

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Shop = TestClient[Request, Application]


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with TestClient(TestServer(create(SECRET, tmp_path / "shop.sqlite"))) as client:
        yield client


def delivery(customer: str, version: int) -> str:
    return json.dumps({"customer_id": customer, "version": version, "customer": {}})


def signed(body: str, webhook_id: str, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, at, body),
    }


async def post(shop: Shop, body: str | bytes, headers: dict[str, str]) -> int:
    async with shop.post("/hooks/customers", data=body, headers=headers) as response:
        return response.status


async def test_a_signed_customer_is_on_disk_when_it_is_acknowledged(shop: Shop, tmp_path: Path) -> None:
    body = delivery("anna", 1)
    assert await post(shop, body, signed(body, "e-shop.anna.1")) == 204
    assert read(tmp_path / "shop.sqlite").bodies["anna"]["version"] == 1


async def test_the_same_webhook_again_is_acknowledged_and_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    body = delivery("anna", 1)
    for _ in range(3):
        assert await post(shop, body, signed(body, "e-shop.anna.1")) == 204
    newer = delivery("anna", 2)
    await post(shop, newer, signed(newer, "e-shop.anna.2"))
    assert read(tmp_path / "shop.sqlite").counts == {"new": 2, "repeated": 2}


async def test_an_older_version_does_not_overwrite(shop: Shop, tmp_path: Path) -> None:
    for version in (2, 1):
        body = delivery("anna", version)
        await post(shop, body, signed(body, f"e-shop.anna.{version}"))
    kept = read(tmp_path / "shop.sqlite")
    assert (kept.bodies["anna"]["version"], kept.counts["older"]) == (2, 1)


BODY = delivery("mallory", 1)
RIGHT = signed(BODY, "x")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY, signed(BODY, "x", secret="whsec_" + "A" * 32)),
        (BODY + " ", RIGHT),
        (BODY, RIGHT | {"webhook-id": "y"}),
        (BODY, signed(BODY, "x", at=datetime.now(UTC) - timedelta(minutes=6))),
        (BODY, RIGHT | {"webhook-signature": "v1"}),
        (BODY, RIGHT | {"webhook-signature": "v1,!!!"}),
        (b"\xff\xfe", RIGHT),
    ],
)
async def test_what_is_not_signed_rightly_is_refused(
    shop: Shop, tmp_path: Path, body: str | bytes, headers: dict[str, str]
) -> None:
    assert await post(shop, body, headers) == 401
    assert read(tmp_path / "shop.sqlite").bodies == {}


async def test_a_signed_body_that_is_no_customer_is_refused_too(shop: Shop) -> None:
    assert await post(shop, "[]", signed("[]", "x")) == 400
    assert await post(shop, "{", signed("{", "x")) == 400
