"""The preference centre, as customers and liars use it: the whole service on real servers."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from services.contacts.api.preferences import MAX_BYTES
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.contacts.test_confirmations import anybody

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
NEWS = {"purpose": "newsletter", "channel": "email"}
ANN: dict[str, Any] = {
    "name": "Ann <script>",
    "email": "ann@b.de",
    "language": "de",
    "interests": {"garden": True, "health": True},
    "consents": [
        NEWS | {"status": "granted", "given_at": "2026-01-01T00:00:00Z", "wording": '"><script>v1'},
        {"purpose": "ads", "channel": "any", "status": "denied", "given_at": "2026-01-01T00:00:00Z"},
    ],
}
BROWSER = {"accept": "text/html"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def linked(client: Client, contact: Any = ANN, **wish: Any) -> tuple[str, str]:
    """The path of a contact, and a link for them."""
    path = f"/v1/contacts/{(await register(client, contact))['customer_id']}"
    return path, await another(client, path, **wish)


async def another(client: Client, path: str, **wish: Any) -> str:
    status, link, _ = await ask(client, "POST", f"{path}/preference-link", wish)
    assert status == 201, link
    return str(link["url"])


async def standing(client: Client, path: str) -> dict[str, str]:
    consents = (await ask(client, "GET", f"{path}/consents"))[1]["consents"]
    return {f"{one['purpose']}.{one['channel']}": one["status"] for one in consents}


async def test_a_customer_sees_what_stands_and_nothing_of_who_they_are(client: Client) -> None:
    path, url = await linked(client)
    assert path.rpartition("/")[2] not in url
    async with aiohttp.ClientSession() as session, session.get(client._build_url(url)) as response:
        told = await response.json()
    assert [(one["purpose"], one["channel"], one["status"]) for one in told["consents"]] == [
        ("ads", "any", "denied"),
        ("newsletter", "email", "granted"),
    ]
    assert (told["interests"], told["language"]) == ({"garden": True}, "de")
    status, page, headers = await anybody(client, "GET", url, headers=BROWSER)
    assert status == 200
    assert not [secret for secret in ("ann@b.de", "Ann", "health", "<script>") if secret in page]
    assert re.findall(r'name="(consent[^"]*)" value="(\w+)" checked', page) == [
        ("consent|ads|any", "withdrawn"),
        ("consent|newsletter|email", "granted"),
    ]
    policy = headers["content-security-policy"]
    assert all(word in policy for word in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"))
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


async def test_what_a_customer_says_is_said_as_of_them_and_only_what_is_new(client: Client) -> None:
    path, url = await linked(client)
    said = {
        "consents": [NEWS | {"status": "withdrawn"}, {"purpose": "ads", "channel": "any", "status": "granted"}],
        "interests": {"garden": False},
        "language": "en",
    }
    status, _, _ = await anybody(client, "POST", url, json=said)
    assert status == 200
    contact = (await ask(client, "GET", path))[1]
    assert (contact["language"], contact["interests"]["garden"], contact["version"]) == ("en", False, 2)
    assert await standing(client, path) == {"ads.any": "granted", "newsletter.email": "withdrawn"}
    assert {one["source"] for one in contact["consents"]} == {"preference-centre"}
    [change, *_] = (await ask(client, "GET", f"{path}/changes"))[1]["items"]
    assert change["source"] == "preference-centre"
    assert (await anybody(client, "POST", url, json=said))[0] == 200
    assert (await ask(client, "GET", path))[1]["version"] == 2


async def test_the_pages_own_form_says_the_same(client: Client) -> None:
    path, url = await linked(client)
    form = {"consent|newsletter|email": "withdrawn", "consent|ads|any": "withdrawn", "interest|garden": "false"}
    status, page, _ = await anybody(client, "POST", url, data=form | {"language": ""}, headers=BROWSER)
    assert (status, "Gespeichert." in page, '<html lang="de">' in page) == (200, True, True)
    assert await standing(client, path) == {"ads.any": "denied", "newsletter.email": "withdrawn"}
    contact = (await ask(client, "GET", path))[1]
    assert (contact["language"], contact["interests"]) == ("de", {"garden": False, "health": True})


@pytest.mark.parametrize("multipart", [False, True])
async def test_one_click_unsubscribes_once_and_from_what_the_mail_was_about(client: Client, multipart: bool) -> None:
    path, url = await linked(client, purpose="tips", channel="email")
    for _ in range(2):
        form = aiohttp.FormData(ONE_CLICK, default_to_multipart=multipart)
        assert (await anybody(client, "POST", url, data=form))[0] == 200
    assert await standing(client, path) == {
        "ads.any": "denied",
        "tips.email": "withdrawn",
        "newsletter.email": "granted",
    }
    assert (await ask(client, "GET", path))[1]["version"] == 2
    everything = await another(client, path)
    status, page, _ = await anybody(client, "POST", everything, data=ONE_CLICK, headers=BROWSER)
    assert (status, "Abgemeldet" in page) == (200, True)
    assert (await standing(client, path))["newsletter.email"] == "withdrawn"


async def test_a_page_speaks_the_customers_language_else_their_browsers(client: Client) -> None:
    _, url = await linked(client)
    italian = BROWSER | {"accept-language": "sv, it-CH;q=0.8, en;q=0.5"}
    status, page, headers = await anybody(client, "GET", url, headers=italian)
    assert (status, headers["content-language"], "newsletter, per E-Mail" in page) == (200, "de", True)
    assert headers["vary"] == "Accept, Accept-Language"
    status, page, headers = await anybody(client, "POST", url, data={"language": "sv"}, headers=italian)
    assert (headers["content-language"], "Salvato." in page) == ("it", True), "Swedish is not among them"
    assert (await anybody(client, "GET", url, headers=BROWSER))[2]["content-language"] == "en"
    status, page, headers = await anybody(client, "GET", f"{url}A", headers=italian)
    assert (status, headers["content-language"], "Il link non è valido." in page) == (404, "it", True)
    assert "default-src 'none'" in headers["content-security-policy"]
    status, _, headers = await anybody(client, "GET", f"{url}A")
    assert (status, headers["content-type"]) == (404, "application/problem+json")


async def test_the_customers_no_holds_against_a_channel_whose_clock_runs_ahead(client: Client) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=20)).isoformat()
    path, url = await linked(client, {"consents": [NEWS | {"status": "granted", "given_at": ahead}]})
    assert (await anybody(client, "POST", url, data=ONE_CLICK))[0] == 200
    assert await standing(client, path) == {"newsletter.email": "withdrawn"}


async def test_two_answers_at_once_both_count(client: Client) -> None:
    path, url = await linked(client)
    one = {"consents": [NEWS | {"status": "withdrawn"}]}
    other = {"consents": [{"purpose": "ads", "channel": "any", "status": "granted"}], "language": "fr"}
    answers = await asyncio.gather(*(anybody(client, "POST", url, json=said) for said in (one, other) * 3))
    assert {status for status, _, _ in answers} == {200}
    assert await standing(client, path) == {"ads.any": "granted", "newsletter.email": "withdrawn"}
    assert (await ask(client, "GET", path))[1]["version"] == 3


async def test_hostile_links_show_and_change_nothing(client: Client) -> None:
    path, url = await linked(client)
    token = url.rpartition("/")[2]
    for hostile in ("x", token[:-1], "B" + token[1:], token + "A", NOBODY, path.rpartition("/")[2], "%00", "é"):
        for method in ("GET", "POST"):
            status, answer, _ = await anybody(client, method, f"/v1/preferences/{hostile}", data=ONE_CLICK)
            assert (status, token in answer) == (404, False), hostile
    assert (await standing(client, path))["newsletter.email"] == "granted"


async def test_what_was_not_offered_or_cannot_be_read_is_refused(client: Client) -> None:
    path, url = await linked(client)
    for body, status in (
        ({"consents": [{"purpose": "spam", "channel": "email", "status": "granted"}]}, 422),
        ({"consents": [NEWS | {"status": "denied"}]}, 422),
        ({"interests": {"health": False}}, 422),
        ({"interests": {"vip": True}}, 422),
        ({"name": "Mallory"}, 422),
        ({"language": "<b>"}, 422),
        ([], 422),
    ):
        assert (await anybody(client, "POST", url, json=body))[0] == status, body
    for data, kind, status in (
        (b"{", "application/json", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"--x", "multipart/form-data", 400),
        (b"", "text/plain", 415),
        (b"a" * (MAX_BYTES + 1), "application/json", 413),
    ):
        answer = await anybody(client, "POST", url, data=data, headers={"content-type": kind})
        assert answer[0] == status, (kind, answer)
    assert (await ask(client, "GET", path))[1]["version"] == 1


async def test_links_follow_merges_and_end_when_they_are_ended_or_the_customer_is_erased(client: Client) -> None:
    path, url = await linked(client)
    other, elsewhere = await linked(client, {"name": "Anna"})
    survivor = other.rpartition("/")[2]
    await ask(client, "POST", f"{other}/merges", {"absorbed": path.rpartition("/")[2]})
    assert (await anybody(client, "POST", url, data=ONE_CLICK))[0] == 200
    assert (await standing(client, f"/v1/contacts/{survivor}"))["newsletter.email"] == "withdrawn"
    assert (await ask(client, "DELETE", f"{other}/preference-link"))[0] == 204
    for ended in (url, elsewhere):
        assert (await anybody(client, "GET", ended))[0] == 404
    anew = await another(client, path)
    assert (await anybody(client, "GET", anew))[0] == 200
    await ask(client, "POST", f"{other}/erasure", {"reason": "objection", "asked_by": "customer"})
    assert (await anybody(client, "GET", anew))[0] == 404
    assert (await anybody(client, "POST", anew, data=ONE_CLICK))[0] == 404


async def test_who_asks_for_a_link_is_in_the_audit_trail_and_must_name_what_it_is_about_as_a_whole(
    client: Client,
) -> None:
    path, _ = await linked(client)
    [noted] = [one for one in (await ask(client, "GET", "/v1/audit"))[1]["items"] if one["action"] == "preference-link"]
    assert noted["customers"] == [path.rpartition("/")[2]]
    assert (await ask(client, "POST", f"{path}/preference-link", {"purpose": "ads"}))[0] == 422
    assert (await ask(client, "POST", f"/v1/contacts/{NOBODY}/preference-link", {}))[0] == 404


async def test_of_one_address_so_many_come_in_a_minute(client: Client) -> None:
    """The gate is 60 a minute; whatever minute it is, 130 within two of them are too many."""
    _, url = await linked(client)
    statuses = [(await anybody(client, "GET", url))[0] for _ in range(130)]
    assert {200, 429} == set(statuses)
