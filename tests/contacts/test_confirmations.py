"""Double opt-in: grants that wait for the customer's own word. The whole service on real servers."""

import asyncio
from typing import Any

import aiohttp
import pytest

from services.contacts.handlers import confirming
from tests.contacts.staff import Staff, staff
from tests.contacts.test_api import NOBODY, ask, client, register
from tests.contacts.test_consents import GRANT, held
from tests.contacts.test_forms import ANN, FORM

__all__ = ["client", "staff"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession
CONFIRM = "/v1/consents/confirm"


async def anybody(client: Client, method: str, path: str, **how: Any) -> tuple[int, str, Any]:
    """Without a key."""
    async with aiohttp.ClientSession() as session, session.request(method, client._build_url(path), **how) as response:
        return response.status, await response.text(), response.headers


async def asked(client: Client, path: str, *claims: Any, confirm: bool = True) -> Any:
    status, body, _ = await ask(client, "PUT", f"{path}/consents", {"consents": claims, "confirm": confirm})
    assert status == 200, body
    return body


async def to_send(client: Client) -> list[Any]:
    items: list[Any] = (await ask(client, "GET", "/v1/confirmations"))[1]["items"]
    return items


async def test_a_grant_waits_until_it_is_confirmed_and_is_told_to_nobody(client: Client) -> None:
    contact = await register(client)
    path = f"/v1/contacts/{contact['customer_id']}"
    phone = GRANT | {"channel": "phone", "status": "denied"}
    body = await asked(client, path, GRANT, phone)
    assert [(one["channel"], one["status"]) for one in body["consents"]] == [("phone", "denied")]
    assert len((await ask(client, "GET", f"{path}/consents/history"))[1]["items"]) == 1
    [waiting] = await to_send(client)
    assert waiting["confirmation_id"] == body["confirmation"]["confirmation_id"]
    assert (waiting["email"], waiting["asked"][0]["wording"]) == ("Ann@b.de", GRANT["wording"])
    assert contact["customer_id"] not in waiting["url"]
    [kept] = await held(client, contact["customer_id"], "confirmations")
    assert waiting["token"] not in repr(kept)
    first = await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]})
    assert first[0] == 200, first
    assert first[2]["cache-control"] == "no-store"
    [email, _] = (await ask(client, "GET", f"{path}/consents"))[1]["consents"]
    assert (email["status"], email["wording"]) == ("granted", GRANT["wording"])
    assert email["given_at"] > GRANT["given_at"]
    assert email["evidence"].startswith("form 7; double opt-in: asked ")
    assert waiting["confirmation_id"] in email["evidence"]
    version = (await ask(client, "GET", path))[1]["version"]
    assert (await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]}))[:2] == first[:2]
    assert (await ask(client, "GET", path))[1]["version"] == version
    assert await to_send(client) == []


async def test_confirmed_twice_at_once_it_is_one_grant(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    await asked(client, path, GRANT)
    [waiting] = await to_send(client)
    token = {"token": waiting["token"]}
    answers = await asyncio.gather(*(anybody(client, "POST", CONFIRM, json=token) for _ in range(6)))
    assert {status for status, _, _ in answers} == {200}
    assert len((await ask(client, "GET", f"{path}/consents/history"))[1]["items"]) == 1
    assert (await ask(client, "GET", path))[1]["version"] == 2


async def test_a_link_in_a_mail_asks_first_because_programs_open_links_too(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    await asked(client, path, GRANT | {"purpose": "news-letter"})
    [waiting] = await to_send(client)
    browser = {"accept": "text/html,*/*"}
    status, page, headers = await anybody(client, "GET", waiting["url"], headers=browser)
    assert (status, "news letter, by email" in page) == (200, True)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert (await ask(client, "GET", f"{path}/consents"))[1]["consents"] == []
    status, page, _ = await anybody(client, "POST", waiting["url"], headers=browser)
    assert (status, "It is confirmed" in page) == (200, True)
    assert len((await ask(client, "GET", f"{path}/consents"))[1]["consents"]) == 1


async def test_who_must_not_be_approached_is_sent_no_link(client: Client) -> None:
    told = {"email": "ann@b.de", "phone": "+493012345678"}
    path = f"/v1/contacts/{(await register(client, told))['customer_id']}"
    await asked(client, path, GRANT)
    for channel, left in (("email", [(None, told["phone"])]), ("phone", [])):
        assert (await ask(client, "PUT", f"{path}/do-not-contact/{channel}", {"reason": "asked"}))[0] == 200
        assert [(one["email"], one["phone"]) for one in await to_send(client)] == left
    for channel in ("email", "phone"):
        assert (await ask(client, "DELETE", f"{path}/do-not-contact/{channel}"))[0] == 200
    assert len(await to_send(client)) == 1
    assert (await ask(client, "PUT", f"{path}/restriction", {"reason": "accuracy"}))[0] == 200
    assert await to_send(client) == []


async def test_who_is_asked_to_confirm_is_asked_in_their_language(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client, {'name': 'Ola', 'language': 'pl'}))['customer_id']}"
    await asked(client, path, GRANT | {"channel": "any"})
    [waiting] = await to_send(client)
    browser = {"accept": "text/html", "accept-language": "en"}
    _, page, headers = await anybody(client, "GET", waiting["url"], headers=browser)
    assert (headers["content-language"], "newsletter, wszystkie kanały" in page) == ("pl", True)
    _, page, headers = await anybody(client, "POST", waiting["url"], headers=browser)
    assert (headers["content-language"], "Zgoda została potwierdzona" in page) == ("pl", True)


async def test_a_withdrawal_that_comes_between_gives_way_to_the_word_that_came_last(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    await asked(client, path, GRANT)
    [waiting] = await to_send(client)
    withdrawn = GRANT | {"status": "withdrawn", "given_at": "2026-02-01T00:00:00Z"}
    await asked(client, path, withdrawn, confirm=False)
    await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]})
    assert (await ask(client, "GET", f"{path}/consents"))[1]["consents"][0]["status"] == "granted"
    later = GRANT | {"status": "withdrawn", "given_at": "2026-11-01T00:00:00Z"}
    assert later["given_at"] < (await ask(client, "GET", f"{path}/consents"))[1]["consents"][0]["given_at"]
    # Confirmed already: whoever opens the old mail again grants nothing anew.
    [grant] = (await ask(client, "GET", f"{path}/consents"))[1]["consents"]
    await asked(client, path, GRANT | {"status": "withdrawn", "given_at": grant["given_at"]}, confirm=False)
    await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]})
    assert (await ask(client, "GET", f"{path}/consents"))[1]["consents"][0]["status"] == "withdrawn"


async def test_a_form_asks_once_however_often_it_is_sent_and_never_shows_the_link(client: Client) -> None:
    assert (await ask(client, "PUT", "/v1/contacts/forms/news", FORM | {"confirm": True}))[0] == 204
    for _ in range(3):
        status, answer, _ = await anybody(client, "POST", "/v1/forms/news", json=ANN)
        assert (status, answer) == (202, '{"received":true}')
    [waiting] = await to_send(client)
    assert waiting["email"] == "ann@b.de", "what is confirmed is the address that it is sent to, in our spelling"
    lead = (await ask(client, "GET", "/v1/contacts?identifier=form:ann@b.de"))[1]["items"][0]
    assert lead["consents"] == []
    assert (await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]}))[0] == 200
    [consent] = (await ask(client, "GET", f"/v1/contacts/{lead['customer_id']}/consents"))[1]["consents"]
    assert (consent["status"], consent["source"]) == ("granted", "/forms/news")


async def test_what_was_sent_is_not_to_be_sent_again_and_still_confirms(client: Client) -> None:
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    await asked(client, path, GRANT)
    [waiting] = await to_send(client)
    sent = f"/v1/confirmations/{waiting['confirmation_id']}/sent"
    assert (await ask(client, "POST", sent))[0] == 204
    assert (await ask(client, "POST", sent))[0] == 204
    assert await to_send(client) == []
    assert (await ask(client, "POST", f"/v1/confirmations/{NOBODY}/sent"))[0] == 404
    assert (await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]}))[0] == 200


async def test_hostile_tokens_confirm_nothing(client: Client) -> None:
    contact = await register(client)
    path = f"/v1/contacts/{contact['customer_id']}"
    await asked(client, path, GRANT)
    [waiting] = await to_send(client)
    token = waiting["token"]
    _, link, _ = await ask(client, "POST", f"{path}/preference-link", {})
    for hostile in ("", "x", token[:-1], token[:-1] + "%00", "B" + token[1:], link["token"], contact["customer_id"]):
        status, answer, _ = await anybody(client, "POST", CONFIRM, json={"token": hostile})
        assert (status, "is not valid" in answer) == (404, True), hostile
    assert (await anybody(client, "POST", CONFIRM, json={"token": token * 9}))[0] == 422
    await ask(client, "POST", f"{path}/erasure", {"reason": "objection", "asked_by": "customer"})
    assert (await anybody(client, "POST", CONFIRM, json={"token": token}))[0] == 404
    assert await to_send(client) == []


async def test_so_many_wait_and_no_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirming, "MAX_WAITING", 2)
    path = f"/v1/contacts/{(await register(client))['customer_id']}"
    for purpose in "ab":
        await asked(client, path, GRANT | {"purpose": purpose})
    body = {"consents": [GRANT | {"purpose": "c"}], "confirm": True}
    assert (await ask(client, "PUT", f"{path}/consents", body))[0] == 409


async def test_of_those_who_are_one_the_grant_is_the_persons(client: Client) -> None:
    ann, bob = [(await register(client, {"name": name}))["customer_id"] for name in ("Ann", "Bob")]
    await asked(client, f"/v1/contacts/{bob}", GRANT)
    await ask(client, "POST", f"/v1/contacts/{ann}/merges", {"absorbed": bob})
    [waiting] = await to_send(client)
    assert waiting["customer_id"] == ann
    await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]})
    assert [one["status"] for one in (await ask(client, "GET", f"/v1/contacts/{ann}"))[1]["consents"]] == ["granted"]


async def test_links_are_for_who_sends_them(staff: Staff) -> None:
    for scopes in (["contacts:read", "contacts:write"], ["contacts:permissions"]):
        assert (await ask(staff.holder(*scopes), "GET", "/v1/confirmations"))[0] == 403
    assert (await ask(staff.holder("contacts:confirmations"), "GET", "/v1/confirmations"))[0] == 200
