"""Forms on the web: sent by people, programs and liars. Rules first, then the whole service on real servers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from pydantic import ValidationError

from services.contacts.clients import RedisLimiter
from services.contacts.domain import forms
from services.contacts.domain.forms import Form, Refused
from services.contacts.main import create
from services.contacts.settings import ContactSettings
from shared import mongo
from shared.messaging import outbox
from shared.plumbing import Plumbing
from shared.security import new_key
from shared.settings import PlatformSettings
from tests.contacts.running import contacts
from tests.contacts.test_api import ask
from tests.web import serving

NOW = datetime(2026, 1, 2, tzinfo=UTC)
FORM: dict[str, Any] = {
    "origins": ["https://www.example.org"],
    "fields": [
        {"from": "mail", "to": "email", "required": True},
        {"from": "who", "to": "name"},
        {"from": "tel", "to": "phone", "country": "DE"},
        {"from": "size", "to": "attributes.size"},
    ],
    "consents": [{"field": "news", "purpose": "newsletter", "channel": "email", "wording": "Yes, write to me."}],
    "honeypot": "website",
    "minimum_seconds": 0,
    "per_minute": 100,
    "redirect": "https://www.example.org/thanks",
}
ANN = {"mail": "Ann@b.de", "who": "Ann", "news": "on", "utm_source": "ads", "utm_campaign": "spring", "other": "x"}


def form(**fields: Any) -> Form:
    return Form.model_validate(FORM | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"fields": [{"from": "mail", "to": "email"}, {"from": "id", "to": "identifiers.shop"}]},
        {"fields": [{"from": "id", "to": "customer_id"}]},
        {"fields": [{"from": "who", "to": "name"}]},
        {"fields": [{"from": "mail", "to": "email"}, {"from": "ok", "to": "consents.ads.any"}]},
        {"honeypot": "mail"},
        {"origins": ["*"]},
        {"redirect": "javascript:alert(1)"},
    ],
)
def test_a_form_that_could_say_what_it_must_not_cannot_be_registered(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form(**fields)


def test_a_form_is_taken_when_a_person_can_have_filled_it() -> None:
    asked, secret = form(minimum_seconds=2), b"s" * 32
    given = forms.token(secret, "a", NOW)
    forms.check_time(asked, "a", secret, given, NOW + timedelta(seconds=2))
    for name, told, at in [
        ("a", given, NOW + timedelta(seconds=1)),
        ("a", given, NOW + timedelta(hours=25)),
        ("b", given, NOW + timedelta(seconds=9)),
        ("a", "1" + given, NOW + timedelta(seconds=9)),
        ("a", "", NOW + timedelta(seconds=9)),
        ("a", "é.é", NOW + timedelta(seconds=9)),
    ]:
        with pytest.raises(Refused) as refused:
            forms.check_time(asked, name, secret, told, at)
        assert refused.value.field == "_token"


@pytest.fixture
async def client(settings: PlatformSettings, topics: dict[str, int]) -> AsyncIterator[aiohttp.ClientSession]:
    async with contacts(settings) as session:
        assert (await ask(session, "PUT", "/v1/contacts/forms/news", FORM))[0] == 204
        yield session


async def send(client: aiohttp.ClientSession, values: Any, name: str = "news", **headers: str) -> tuple[int, Any, Any]:
    """As anybody: without the key."""
    url = client._build_url(f"/v1/forms/{name}")
    given = {key.replace("_", "-"): value for key, value in headers.items()}
    async with aiohttp.ClientSession() as anybody, anybody.post(url, json=values, headers=given) as response:
        return response.status, await response.json(content_type=None), response.headers


async def found(client: aiohttp.ClientSession, mail: str = "ann@b.de", scheme: str = "form") -> Any:
    items = (await ask(client, "GET", f"/v1/contacts?identifier={scheme}:{mail}"))[1]["items"]
    return items[0] if items else None


@pytest.mark.integration
async def test_a_form_makes_a_lead_with_its_source_campaign_and_the_words_of_the_consent(
    client: aiohttp.ClientSession,
) -> None:
    status, body, headers = await send(client, ANN, origin="https://www.example.org")
    assert (status, body) == (202, {"received": True})
    assert headers["access-control-allow-origin"] == "https://www.example.org"
    lead = await found(client)
    assert (lead["stage"], lead["name"], lead["email"]) == ("lead", "Ann", "ann@b.de")
    assert await found(client, scheme="email") is None, "nobody has shown that it is theirs"
    assert lead["attributes"] == {"lead-source": "news", "utm_source": "ads", "utm_campaign": "spring"}
    [consent] = lead["consents"]
    assert (consent["status"], consent["source"]) == ("granted", "/forms/news")
    assert consent["evidence"] == "form news: Yes, write to me."


@pytest.mark.integration
async def test_a_browsers_own_form_is_sent_on(client: aiohttp.ClientSession) -> None:
    url = client._build_url("/v1/forms/news")
    async with aiohttp.ClientSession() as anybody:
        async with anybody.post(url, data={"mail": "bob@b.de", "who": "Jürgen"}, allow_redirects=False) as response:
            assert (response.status, response.headers["location"]) == (303, "https://www.example.org/thanks")
        async with anybody.options(url, headers={"origin": "https://www.example.org"}) as response:
            assert response.status == 204
            assert response.headers["access-control-allow-methods"] == "GET, POST"
        async with anybody.get(url) as response:
            assert (await response.json())["required"] == ["mail"]
    assert (await found(client, "bob@b.de"))["name"] == "Jürgen"


@pytest.mark.integration
async def test_nobody_changes_a_customer_by_knowing_their_address(client: aiohttp.ClientSession) -> None:
    known = {"email": "ann@b.de", "name": "Ann Example", "stage": "customer", "attributes": {"size": 4}}
    refusal = {"purpose": "newsletter", "channel": "email", "status": "withdrawn", "given_at": "2026-01-02T09:30:00Z"}
    _, contact, _ = await ask(client, "POST", "/v1/contacts", known | {"consents": [refusal]})
    status, _, _ = await send(client, ANN | {"who": "Mallory", "tel": "030 123456", "size": "9"})
    assert status == 202, "the answer does not tell whether we know somebody"
    assert await found(client, scheme="email") == contact
    claim = await found(client)
    assert (claim["name"], claim["attributes"]["size"], claim["consents"]) == ("Mallory", "9", [])
    assert [one["understood"] for one in claim["phones"]] == ["+4930123456"], "kept beside, to be looked at"


REFUSED: list[tuple[Any, dict[str, str], int, str]] = [
    ({"who": "Ann"}, {}, 422, "body.mail"),
    ({"mail": "nothing", "tel": "x"}, {}, 422, "body.email"),
    ({"mail": ["a@b.de", {"x": 1}]}, {}, 422, "body.mail"),
    ({"mail": "a\0@b.de"}, {}, 422, "body.mail"),
    (ANN | {"who": "Ann\x1b[2J"}, {}, 422, "body.who"),
    (ANN | {"other": [[[1]]]}, {}, 422, "body.other"),
    ([1], {}, 400, "body"),
    (ANN | {"who": "x" * 70_000}, {}, 413, ""),
    (ANN | {"who": "x" * 300}, {}, 422, "body.who"),
    (ANN, {"origin": "https://evil.example"}, 403, ""),
]


@pytest.mark.integration
async def test_what_cannot_be_taken_is_told_and_has_no_effect(client: aiohttp.ClientSession) -> None:
    for values, headers, expected, field in REFUSED:
        status, body, _ = await send(client, values, **headers)
        assert status == expected, body
        if field:
            assert [one["field"] for one in body["errors"]] == [field]
    assert (await send(client, ANN, name="none"))[0] == 404
    assert (await send(client, ANN | {"website": "http://spam"}))[0] == 202, "a program does not learn that it was seen"
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 0


@pytest.mark.integration
async def test_an_address_that_sends_too_often_waits(client: aiohttp.ClientSession) -> None:
    assert (await ask(client, "PUT", "/v1/contacts/forms/few", FORM | {"per_minute": 2}))[0] == 204
    answers = [await send(client, ANN, "few", x_forwarded_for="made up, 10.0.0.1") for _ in range(6)]
    assert 429 in [status for status, _, _ in answers]
    assert {headers["retry-after"] for status, _, headers in answers if status == 429} == {"60"}
    assert (await send(client, ANN, "few", x_forwarded_for="10.0.0.2"))[0] == 202


@pytest.mark.integration
async def test_the_guard_is_not_worth_a_lead(settings: PlatformSettings) -> None:
    nowhere = RedisLimiter("redis://127.0.0.1:1/0", "x-")
    assert await nowhere.allows("news", "10.0.0.1", 1)
    await nowhere.close()
    limiter = RedisLimiter(settings.redis_url, settings.namespace)
    allowed = await asyncio.gather(*(limiter.allows("news", "10.0.0.1", 3) for _ in range(12)))
    assert 3 <= sum(allowed) <= 6, "three a minute, and perhaps a minute has just begun"
    await limiter.close()


@pytest.mark.integration
async def test_a_lead_is_taken_while_kafka_is_away_and_told_later(settings: PlatformSettings) -> None:
    _, key, sha256 = new_key()
    away = settings.model_dump() | {"admin_key_sha256": sha256, "kafka_bootstrap": "127.0.0.1:1"}
    async with serving(create(ContactSettings(**away)), key=key) as client:
        assert (await ask(client, "PUT", "/v1/contacts/forms/news", FORM))[0] == 204
        assert (await send(client, ANN))[0] == 202
        assert (await found(client))["stage"] == "lead"
    plumbing = Plumbing("contacts", settings)
    waiting = [row async for row in plumbing.database[outbox.COLLECTION].find()]
    assert [len(row["events"]) for row in waiting] == [1], "in the outbox, for the relay"
    await mongo.close(plumbing.client)
