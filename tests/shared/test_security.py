"""Keys, the table of valid ones, and what guarded routes answer."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends

from shared.contracts.sync import KeyIssued, KeyRevoked
from shared.http import create_app
from shared.security import KEY, KeyTable, Principal, key_sha256, new_key, require
from tests.shared.test_http import Healthy
from tests.web import serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def issued(key_id: str, sha256: str, *scopes: str) -> KeyIssued:
    return KeyIssued(
        key_id=key_id,
        name="shop",
        kind="channel",
        scopes=list(scopes),
        secret_sha256=sha256,
        channel_id="eshop",
        issued_at=NOW,
    )


def test_a_new_key_has_the_documented_form_and_its_hash_is_of_the_whole_key() -> None:
    key_id, key, sha256 = new_key()
    match = KEY.fullmatch(key)
    assert match is not None
    assert match[1] == key_id
    assert sha256 == key_sha256(key)
    assert new_key()[1] != key


def test_an_issued_key_gives_its_principal() -> None:
    key_id, key, sha256 = new_key()
    table = KeyTable()
    table.apply(issued(key_id, sha256, "contacts:read"))
    assert table.principal(key) == Principal(key_id, "shop", "channel", frozenset({"contacts:read"}), "eshop")


def test_another_secret_under_a_known_id_is_refused() -> None:
    key_id, _, sha256 = new_key()
    table = KeyTable()
    table.apply(issued(key_id, sha256, "*"))
    assert table.principal(f"rk_{key_id}_{'A' * 43}") is None
    assert table.principal("") is None
    assert table.principal("rk_é") is None


def test_a_revoked_key_stays_revoked_whatever_the_order_of_the_facts() -> None:
    key_id, key, sha256 = new_key()
    facts = [issued(key_id, sha256, "*"), KeyRevoked(key_id=key_id, revoked_at=NOW), issued(key_id, sha256, "*")]
    for order in permutations(facts):
        table = KeyTable()
        for fact in order:
            table.apply(fact)
        assert table.principal(key) is None


def test_the_admin_key_of_the_environment_may_everything() -> None:
    _, key, sha256 = new_key()
    admin = KeyTable(admin_sha256=sha256.upper()).principal(key)
    assert admin is not None
    assert admin.may("anything:write")
    assert KeyTable().principal(key) is None


def test_a_scope_covers_itself_only() -> None:
    reader = Principal("1", "r", "person", frozenset({"contacts:read"}))
    assert reader.may("contacts:read")
    assert not reader.may("contacts:write")
    assert not reader.may("scores:read")


@pytest.mark.parametrize(
    ("scopes", "authorization", "status", "challenge"),
    [
        (["things:write"], "Bearer {key}", 200, None),
        (["*"], "bearer {key}", 200, None),
        (["things:write"], None, 401, 'Bearer realm="rapport"'),
        (["things:write"], "Basic {key}", 401, 'Bearer realm="rapport"'),
        (["things:write"], "Bearer {key}x", 401, 'Bearer realm="rapport", error="invalid_token"'),
        (
            ["things:read"],
            "Bearer {key}",
            403,
            'Bearer realm="rapport", error="insufficient_scope", scope="things:write"',
        ),
    ],
)
async def test_a_guarded_route_wants_a_key_with_its_scope(
    scopes: list[str], authorization: str | None, status: int, challenge: str | None
) -> None:
    router = APIRouter()

    @router.get("/v1/things")
    async def things(principal: Annotated[Principal, Depends(require("things:write"))]) -> str:
        return principal.name

    key_id, key, sha256 = new_key()
    table = KeyTable()
    table.apply(issued(key_id, sha256, *scopes))
    app = create_app(
        title="t", description="d", version="1", lifespan=None, routers=[router], keys=table, health=Healthy()
    )
    assert app.openapi()["paths"]["/v1/things"]["get"]["security"] == [{"key": ["things:write"]}]
    headers = {"authorization": authorization.format(key=key)} if authorization else {}
    async with serving(app) as client, client.get("/v1/things", headers=headers) as response:
        assert response.status == status
        assert response.headers.get("www-authenticate") == challenge
        if status == 403:
            assert "`things:write`" in (await response.json())["detail"]
