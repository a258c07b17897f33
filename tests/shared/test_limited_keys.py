"""Keys that are limited to some contacts: routes that do not know of rows are shut to them, without having to say so."""

from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends

from shared.contracts.sync import KeyIssued
from shared.http import create_app
from shared.security import KeyTable, Principal, new_key, require
from tests.shared.test_http import Healthy
from tests.web import serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def issued(**limits: Any) -> tuple[KeyTable, str]:
    key_id, key, sha256 = new_key()
    table = KeyTable()
    table.apply(
        KeyIssued(
            key_id=key_id, name="Nick", kind="person", scopes=["*"], secret_sha256=sha256, issued_at=NOW, **limits
        )
    )
    return table, key


def test_a_key_carries_its_limits_and_one_without_says_nothing_of_them() -> None:
    table, key = issued(territories=["north"], owners=["olga"])
    nick = table.principal(key)
    assert nick is not None
    assert (nick.territories, nick.owners, nick.limited) == (frozenset({"north"}), frozenset({"olga"}), True)
    table, key = issued()
    everybody = table.principal(key)
    assert everybody is not None
    assert not everybody.limited
    assert "territories" not in KeyIssued(
        key_id="a", name="b", kind="person", scopes=[], secret_sha256="0" * 64, issued_at=NOW
    ).model_dump(mode="json")


@pytest.mark.integration
@pytest.mark.parametrize("limits", [{"territories": ["north"]}, {"owners": ["olga"]}, {}])
async def test_a_route_is_open_to_a_limited_key_only_if_it_says_that_it_knows_rows(limits: Any) -> None:
    routes = APIRouter()

    @routes.get("/all")
    async def read_all(who: Annotated[Principal, Depends(require("things:read"))]) -> str | None:
        return who.purpose

    @routes.get("/some")
    async def read_some(who: Annotated[Principal, Depends(require("things:read", rows=True))]) -> str | None:
        return who.purpose

    table, key = issued(**limits)
    app = create_app(
        title="t", description="d", version="1", lifespan=None, routers=[routes], keys=table, health=Healthy()
    )
    async with serving(app, key) as client:
        async with client.get("/all") as answer:
            assert answer.status == (403 if limits else 200)
        async with client.get("/some", headers={"X-Purpose": "Call back"}) as answer:
            assert (answer.status, await answer.json()) == (200, "Call back")
        for hostile in ("x" * 201, "tab\there"):
            async with client.get("/some", headers={"X-Purpose": hostile}) as answer:
                assert answer.status == 422
                assert (await answer.json())["errors"][0]["field"] == "header.X-Purpose"
