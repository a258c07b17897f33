"""What people see over HTTP: drafts, segments, pages, problems that name the field. No broker is needed for that."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from services.campaigns.api import PROBLEMS
from services.campaigns.main import compose
from services.campaigns.settings import CampaignSettings
from shared import idempotency
from shared.contracts.sync import KeyIssued
from shared.http import create_app
from shared.messaging import Messaging
from shared.mongo import Database
from shared.security import KeyTable, key_sha256, new_key
from shared.settings import PlatformSettings
from tests.campaigns.api import ADMIN, CAMPAIGN, EVERYONE, Api
from tests.web import serving

pytestmark = pytest.mark.integration


EVENINGS = {"from": "18:00", "until": "09:00", "days": ["monday", "friday"]}


class Healthy:
    async def live(self) -> tuple[bool, dict[str, Any]]:
        return True, {}

    async def ready(self) -> tuple[bool, dict[str, Any]]:
        return True, {}


@pytest.fixture
def keys() -> KeyTable:
    return KeyTable(key_sha256(ADMIN))


@pytest.fixture
async def api(settings: PlatformSettings, database: Database, keys: KeyTable) -> AsyncIterator[Api]:
    given = CampaignSettings(**settings.model_dump(), campaigns_quiet_hours={"phone": EVENINGS})
    parts = compose(given, Messaging("campaigns", given, database.client, database), database)
    await idempotency.prepare(database)
    for ready in parts.prepare:
        await ready()
    app = create_app(
        title="Campaigns",
        description="",
        version="0",
        lifespan=None,
        routers=parts.routers,
        keys=keys,
        health=Healthy(),
        problems=PROBLEMS,
    )
    async with serving(app, ADMIN) as http:
        yield Api(http)


async def test_segments_are_saved_listed_and_used_by_their_id(api: Api) -> None:
    for n in range(3):
        body = {"segment_id": f"s{n}", "name": f"Segment {n}", "rule": EVERYONE}
        saved = await api.call("POST", "/v1/segments", body, 201)
        assert await api.call("GET", f"/v1/segments/s{n}") == saved
    first = await api.call("GET", "/v1/segments?limit=2")
    rest = await api.call("GET", f"/v1/segments?limit=2&cursor={first['next']}")
    assert [one["segment_id"] for one in first["items"] + rest["items"]] == ["s0", "s1", "s2"]
    assert rest["next"] is None
    planned = await api.call("POST", "/v1/campaigns", CAMPAIGN | {"segment": {"segment_id": "s1"}}, 201)
    assert (planned["segment_id"], planned["segment"]) == ("s1", EVERYONE)


async def test_what_is_sensitive_is_asked_of_by_keys_that_may_know_it_and_is_in_the_trail(
    api: Api, keys: KeyTable
) -> None:
    key_id, key, sha256 = new_key()
    scopes = ["campaigns:read", "campaigns:write"]
    issued_at = datetime(2026, 1, 2, tzinfo=UTC)
    told = {"key_id": key_id, "name": "Mark", "kind": "person", "secret_sha256": sha256, "issued_at": issued_at}
    keys.apply(KeyIssued(scopes=scopes, **told))
    mark = {"authorization": f"Bearer {key}"}
    born = {"not": {"any": [EVERYONE, {"field": "contact.attributes.birth_date", "is": "1980-01-02"}]}}
    for path, body in (
        ("/v1/segments/preview", {"rule": born}),
        ("/v1/segments", {"name": "Forty", "rule": born}),
        ("/v1/campaigns", CAMPAIGN | {"segment": born}),
    ):
        problem = await api.call("POST", path, body, 403, mark)
        assert "birth_date" in problem["errors"][0]["message"]
    await api.call("POST", "/v1/campaigns", CAMPAIGN | {"segment": born}, 201)
    await api.call("GET", "/v1/campaigns/winback/customers", None, 403, mark)
    assert (await api.call("GET", "/v1/audit"))["items"] == []
    keys.apply(KeyIssued(scopes=[*scopes, "contacts:sensitive"], **told))
    await api.call("POST", "/v1/segments/preview", {"rule": EVERYONE}, 200, mark)
    await api.call("POST", "/v1/segments/preview", {"rule": born}, 200, mark | {"x-purpose": "Birthdays"})
    await api.call("GET", "/v1/campaigns/winback/customers", None, 409, mark)
    seen = [
        (one["action"], one["purpose"]) for one in (await api.call("GET", "/v1/audit"))["items"] if one["key"] == "Mark"
    ]
    assert seen == [("segment", "Birthdays")]


async def test_campaigns_are_listed_in_pages(api: Api) -> None:
    for n in range(3):
        await api.call("POST", "/v1/campaigns", CAMPAIGN | {"campaign_id": f"c{n}"}, 201)
    first = await api.call("GET", "/v1/campaigns?limit=2")
    rest = await api.call("GET", f"/v1/campaigns?limit=2&cursor={first['next']}")
    assert [one["campaign_id"] for one in first["items"] + rest["items"]] == ["c2", "c1", "c0"]


async def test_quiet_hours_are_the_campaigns_own_or_the_usual_ones_of_its_channel(api: Api) -> None:
    own = {"from": "20:00", "until": "08:00", "days": None}
    cases: list[tuple[dict[str, Any], Any]] = [
        ({"channel": "phone"}, EVENINGS),
        ({"channel": "phone", "quiet_hours": None}, None),
        ({"channel": "phone", "quiet_hours": {"from": "20:00", "until": "08:00"}}, own),
        ({"channel": "mail"}, None),
    ]
    for number, (said, expected) in enumerate(cases):
        campaign_id = f"c{number}"
        planned = await api.call("POST", "/v1/campaigns", CAMPAIGN | said | {"campaign_id": campaign_id}, 201)
        assert planned["quiet_hours"] == expected
        assert await api.call("GET", f"/v1/campaigns/{campaign_id}") == planned
        assert (planned["contacted"], planned["waiting"], planned["withheld"]) == (None, 0, {})


@pytest.mark.parametrize("said", [{"campaigns_time_zone": "Vienna"}, {"campaigns_quiet_hours": {"phone": {}}}])
def test_wrong_settings_stop_the_start(said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CampaignSettings(**said)


async def test_the_same_write_sent_twice_happens_once(api: Api) -> None:
    body = {name: value for name, value in CAMPAIGN.items() if name != "campaign_id"}
    key = {"idempotency-key": "once"}
    one, other = [await api.call("POST", "/v1/campaigns", body, 201, key) for _ in range(2)]
    assert one == other
    assert len((await api.call("GET", "/v1/campaigns"))["items"]) == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"segment": {"all": [{"field": "score.sgment", "is": "gone"}]}}, "body.segment.all.0.field"),
        ({"segment": {"segment_id": "nowhere"}}, "body.segment.segment_id"),
        ({"segment": "everyone"}, "body.segment"),
        ({"control_share": 0.95}, "body.control_share"),
        ({"response_days": 0}, "body.response_days"),
        ({"channel": "No Channel"}, "body.channel"),
        ({"campaign_id": "a:b"}, "body.campaign_id"),
        ({"chanel": "mail"}, "body.chanel"),
        ({"quiet_hours": {"from": "25:00", "until": "08:00"}}, "body.quiet_hours.from"),
        ({"quiet_hours": {"from": "08:00", "until": "08:00"}}, "body.quiet_hours"),
        ({"segment": {"field": "do-not-contact@mail", "is": 1}}, "body.segment.is"),
    ],
)
async def test_a_wrong_campaign_is_refused_and_the_field_is_named(api: Api, said: dict[str, Any], field: str) -> None:
    problem = await api.call("POST", "/v1/campaigns", CAMPAIGN | said, 422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_what_is_not_there_or_not_possible_is_said_plainly(api: Api) -> None:
    for path in ("/v1/campaigns/nowhere", "/v1/campaigns/nowhere/effect", "/v1/segments/nowhere"):
        problem = await api.call("GET", path, status=404)
        assert "nowhere" in problem["detail"]
    await api.call("POST", "/v1/campaigns/nowhere/launch", status=404)
    await api.call("POST", "/v1/campaigns", CAMPAIGN, 201)
    problem = await api.call("POST", "/v1/campaigns", CAMPAIGN, 409)
    assert problem["detail"] == "There is already a campaign winback."
    for path in ("effect", "customers"):
        problem = await api.call("GET", f"/v1/campaigns/winback/{path}", status=409)
        assert problem["detail"] == "Campaign winback has not been launched."
    await api.call("GET", "/v1/campaigns?cursor=nonsense", status=400)
    await api.call("GET", "/v1/segments?cursor=nonsense", status=400)


async def test_every_field_is_documented_with_its_operators(api: Api) -> None:
    fields = {one["field"]: one for one in await api.call("GET", "/v1/segments/fields")}
    assert fields["score.segment"]["operators"] == ["is", "in", "exists"]
    assert "valuable-slipping" in fields["score.segment"]["words"]
    assert "contact.attributes.<code>" in fields
    assert "expired" in fields["consent.<purpose>@<channel>"]["words"]
    assert fields["do-not-contact@<channel>"]["operators"] == ["is"]


async def test_strangers_are_kept_out(api: Api) -> None:
    nobody = {"authorization": "Bearer rk_nobody_" + "y" * 43}
    for method, path in (("GET", "/v1/campaigns"), ("POST", "/v1/campaigns/x/launch"), ("GET", "/v1/segments")):
        await api.call(method, path, status=401, headers=nobody)


async def test_the_openapi_document_shows_rules_and_examples(api: Api) -> None:
    document = await api.call("GET", "/openapi.json")
    schemas = document["components"]["schemas"]
    assert schemas["NewCampaign"]["examples"][0]["campaign_id"] == "winback-2026-11"
    assert "MoneyCondition" in schemas
