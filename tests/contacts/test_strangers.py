"""What strangers say by forms of somebody who is known: it stays beside their record, whatever it names them by."""

from typing import Any

import aiohttp
import pytest

from tests.contacts.test_api import ask, client, register
from tests.contacts.test_confirmations import CONFIRM, anybody, to_send
from tests.contacts.test_duplicates_api import decide, queued, set_limits, settled
from tests.contacts.test_forms import FORM

__all__ = ["client"]
pytestmark = pytest.mark.integration
Client = aiohttp.ClientSession

NUMBER, MALLORY = "+493012345678", "mallory@evil.example"
FIELDS = [
    {"from": "mail", "to": "email"},
    {"from": "who", "to": "name"},
    {"from": "tel", "to": "phone", "country": "DE"},
    {"from": "city", "to": "address.city"},
    {"from": "born", "to": "attributes.birthdate"},
    {"from": "lang", "to": "language"},
    {"from": "likes", "to": "interests.golf", "type": "number"},
]
BOXES = [
    {"field": "news", "purpose": "newsletter", "channel": "email", "wording": "Yes, write to me."},
    {"field": "all", "purpose": "ads", "wording": "Yes, by all means."},
]
SAID = {"who": "Mallory", "city": "Elsewhere", "born": "1990-01-01", "lang": "pl", "likes": 1, "news": 1, "all": 1}
VICTIM = {"name": "Ann Example", "phone": NUMBER}
REFUSAL = {"purpose": "newsletter", "channel": "email", "status": "withdrawn", "given_at": "2026-01-02T09:30:00Z"}


async def form(client: Client, *, confirm: bool = False) -> None:
    body = FORM | {"fields": FIELDS, "consents": BOXES, "confirm": confirm}
    assert (await ask(client, "PUT", "/v1/contacts/forms/news", body))[0] == 204


async def say(client: Client, **values: Any) -> None:
    """The answer is the same whoever is known."""
    status, answer, _ = await anybody(client, "POST", "/v1/forms/news", json=values)
    assert (status, answer) == (202, '{"received":true}')


async def of(client: Client, identifier: str) -> Any:
    items = (await ask(client, "GET", f"/v1/contacts?identifier={identifier.replace('+', '%2B')}"))[1]["items"]
    return items[0] if items else None


async def read(client: Client, contact: Any) -> Any:
    return (await ask(client, "GET", f"/v1/contacts/{contact['customer_id']}"))[1]


async def confirm(client: Client, token: str) -> None:
    assert (await anybody(client, "POST", CONFIRM, json={"token": token}))[0] == 200


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize(
    ("known", "named"),
    [
        (VICTIM, {"tel": NUMBER}),
        ({"name": "Ann", "email": "ann@b.de"}, {"mail": "ANN@b.de", "tel": "+493099999999"}),
        ({"name": "Ann", "email": "ann@b.de", "consents": [REFUSAL]}, {"mail": "ann@b.de"}),
    ],
)
async def test_a_form_changes_nothing_of_somebody_known_by_what_it_names(
    client: Client, known: Any, named: Any, double: bool
) -> None:
    await form(client, confirm=double)
    victim = await register(client, known)
    for _ in range(2):
        await say(client, **named, **SAID)
    assert await read(client, victim) == victim
    assert (await ask(client, "GET", "/v1/contacts/summary"))[1]["contacts"] == 2, "said twice, it is one lead"
    lead = await of(client, f"form:{named.get('mail', NUMBER).lower()}")
    assert (lead["stage"], lead["name"], lead["attributes"]["lead-source"]) == ("lead", "Mallory", "news")
    for name in known.keys() & {"email", "phone"}:
        assert (lead[name], {one["purpose"] for one in lead[f"{name}s"]}) == (None, {"claimed"}), "kept, and not used"
    assert lead["consents"] == [], "what is ticked in the name of somebody known waits for their own word"
    link = (await ask(client, "POST", f"/v1/contacts/{victim['customer_id']}/preference-link", {}))[0]
    assert link in {200, 201}
    assert (await read(client, victim))["email"] == victim["email"]


@pytest.mark.parametrize("double", [False, True])
async def test_who_has_a_mailbox_does_not_learn_whether_a_number_is_known(client: Client, double: bool) -> None:
    await form(client, confirm=double)
    victim = await register(client, VICTIM)
    for mail, tel in ((MALLORY, NUMBER), ("other@evil.example", "+493099999999")):
        await say(client, mail=mail, tel=tel, **SAID)
        lead = await of(client, f"form:{mail}")
        assert (lead["email"], len(lead["consents"])) == (mail, 0 if double else 2)
        assert (lead["phone"], lead["phones"][0]["typed"]) == (None if tel == NUMBER else tel, tel)
    assert [one["email"] for one in await to_send(client)] == ([MALLORY, "other@evil.example"] if double else [])
    assert await read(client, victim) == victim


async def test_who_comes_later_does_not_become_what_a_form_has_said_before(client: Client) -> None:
    await form(client)
    await say(client, mail="ann@b.de", tel="+493099999999", **SAID)
    await say(client, mail=MALLORY, tel=NUMBER, **SAID)
    ann = await register(client, {"email": "ann@b.de", "phone": NUMBER})
    assert (ann["phone"], ann["name"], ann["consents"]) == (NUMBER, None, [])
    assert (await read(client, ann))["identifiers"] == ann["identifiers"]


async def test_a_lead_of_an_unknown_address_is_used_by_all_that_it_says(client: Client) -> None:
    await form(client)
    await say(client, mail="New@b.de", tel=NUMBER, utm_source="ads", **SAID)
    await say(client, mail="new@b.de", who="Somebody Else", tel="+493099999999", utm_source="mail")
    lead = await of(client, "form:new@b.de")
    assert (lead["email"].lower(), lead["phone"], lead["name"]) == ("new@b.de", NUMBER, "Mallory")
    assert (lead["address"]["city"], lead["attributes"]["utm_source"]) == ("Elsewhere", "mail")
    assert {one["purpose"] for one in lead["consents"]} == {"newsletter", "ads"}
    assert [one["scheme"] for one in lead["identifiers"]] == ["form"]


async def test_a_lead_is_known_by_the_address_whose_link_was_confirmed_and_by_nothing_else(client: Client) -> None:
    await form(client, confirm=True)
    await say(client, mail="ann@b.de", tel=NUMBER, **SAID)
    [waiting] = await to_send(client)
    assert (waiting["email"], waiting["phone"]) == ("ann@b.de", None), "only to where it was asked"
    await confirm(client, waiting["token"])
    ann = await of(client, "email:ann@b.de")
    assert {one["purpose"] for one in ann["consents"] if one["status"] == "granted"} == {"newsletter", "ads"}
    assert (ann["email"], ann["phone"], ann["address"]) == ("ann@b.de", None, None), "a stranger may have said these"
    assert await of(client, f"phone:{NUMBER}") is None
    await say(client, mail="ann@b.de", tel="+493099999999", who="Mallory again")
    assert await read(client, ann) == ann


async def test_who_is_known_says_yes_from_their_own_mailbox(client: Client) -> None:
    await form(client, confirm=True)
    ann = await register(client, {"name": "Ann", "email": "ann@b.de", "consents": [REFUSAL]})
    await say(client, mail="ann@b.de", tel="+493099999999", **SAID)
    [waiting] = await to_send(client)
    browser = {"accept": "text/html", "accept-language": "en"}
    _, page, _ = await anybody(client, "GET", waiting["url"], headers=browser)
    assert "Ann" not in page
    await confirm(client, waiting["token"])
    await confirm(client, waiting["token"])
    after = await read(client, ann)
    assert {one["purpose"] for one in after["consents"] if one["status"] == "granted"} == {"newsletter", "ads"}
    assert {name for name in after if after[name] != ann[name]} == {"version", "changed_at", "consents"}


async def test_a_link_goes_only_to_where_it_was_asked_and_to_nobody_who_must_not_be_approached(client: Client) -> None:
    await form(client, confirm=True)
    victim = await register(client, VICTIM | {"email": "ann@b.de"})
    await say(client, mail=MALLORY, tel=NUMBER, **SAID)
    assert [(one["email"], one["phone"]) for one in await to_send(client)] == [(MALLORY, None)]
    await confirm(client, (await to_send(client))[0]["token"])
    assert await read(client, victim) == victim, "whoever has Mallory's mailbox is Mallory"
    await say(client, mail="ann@b.de", **SAID)
    assert len(await to_send(client)) == 1
    path = f"/v1/contacts/{victim['customer_id']}"
    assert (await ask(client, "PUT", f"{path}/do-not-contact/email", {"reason": "asked"}))[0] == 200
    assert await to_send(client) == []
    assert (await ask(client, "DELETE", f"{path}/do-not-contact/email"))[0] == 200
    assert (await ask(client, "PUT", f"{path}/restriction", {"reason": "accuracy"}))[0] == 200
    assert await to_send(client) == []


async def test_a_mailbox_that_is_somebody_elses_by_now_says_nothing_for_who_had_it(client: Client) -> None:
    await form(client, confirm=True)
    ann = await register(client, {"name": "Ann", "email": "old@b.de"})
    await ask(client, "PATCH", f"/v1/contacts/{ann['customer_id']}", {"email": "new@b.de"})
    ann = await read(client, ann)
    await say(client, mail="old@b.de", news=1)
    await confirm(client, (await to_send(client))[0]["token"])
    assert await read(client, ann) == ann
    lead = await of(client, "form:old@b.de")
    assert (lead["email"], lead["consents"][0]["status"]) == ("old@b.de", "granted")


@pytest.mark.parametrize("known_first", [True, False])
async def test_what_a_form_has_said_merges_nobody_and_is_used_by_nobody_whom_a_person_merges(
    client: Client, known_first: bool
) -> None:
    await form(client)
    await set_limits(client, 0.5, 0.2)
    said = {"who": "Ann Example", "born": "1980-02-29", "tel": NUMBER, "lang": "pl"}
    known = VICTIM | {"attributes": {"birthdate": "1980-02-29"}}
    if known_first:
        await register(client, known)
    await say(client, mail=MALLORY, **said)
    victim = (await of(client, f"phone:{NUMBER}")) or await register(client, known)
    await settled(client)
    [pair] = [one for one in await queued(client, 1) if victim["customer_id"] in one["contacts"]]
    assert pair["probability"] > 0.5
    assert pair["unvouched"] == [one for one in pair["contacts"] if one != victim["customer_id"]]
    status, merged = await decide(client, pair["pair"], "accept")
    assert status == 200
    one = await read(client, {"customer_id": merged["survivor"]})
    assert (one["name"], one["phone"], one["email"]) == ("Ann Example", NUMBER, None)
    assert [(each["typed"], each["source"]) for each in one["emails"]] == [(MALLORY, "/forms/news")]
    # A person has said that the two are one, and nobody that whoever sends the form again is the same.
    await say(client, mail=MALLORY, tel=NUMBER, who="Mallory", likes=1)
    after = await read(client, one)
    assert {name for name in after if after[name] != one[name]} == set()


async def test_a_confirmed_address_merges_nobody_either(client: Client) -> None:
    await form(client, confirm=True)
    await set_limits(client, 0.5, 0.2)
    victim = await register(client, VICTIM | {"attributes": {"birthdate": "1980-02-29"}})
    await say(client, mail=MALLORY, who="Ann Example", born="1980-02-29", tel=NUMBER, news=1)
    await confirm(client, (await to_send(client))[0]["token"])
    await settled(client)
    assert await read(client, victim) == victim


async def test_who_has_merged_a_lead_has_not_said_whose_mailbox_it_names(client: Client) -> None:
    await form(client, confirm=True)
    victim = await register(client, VICTIM | {"consents": [REFUSAL]})
    await say(client, mail=MALLORY, tel=NUMBER, **SAID)
    [waiting] = await to_send(client)
    lead = await of(client, f"form:{MALLORY}")
    path = f"/v1/contacts/{victim['customer_id']}"
    assert (await ask(client, "POST", f"{path}/merges", {"absorbed": lead["customer_id"]}))[0] == 200
    one = await read(client, victim)
    assert (await anybody(client, "POST", CONFIRM, json={"token": waiting["token"]}))[0] == 404
    assert await read(client, victim) == one
    assert (one["email"], one["phone"], one["consents"]) == (None, NUMBER, victim["consents"])
